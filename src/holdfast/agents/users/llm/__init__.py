"""User agents played by a chat model, within bounds that code sets.

What a message may be about, and when a goal counts as met, follows the same rules as for the embedded users. The model
finds the words and judges the replies. Where a message fails the checks or a judgement cannot be read, the embedded
user's words and formulas are used, and every such case is counted in the state.

======================  ===============================================================================
:mod:`.agent`           the user agent
:mod:`.prompting`       the prompts: persona, memory, chat between markers, what to bring up
:mod:`.guards`          deterministic checks that a message is the user's own
:mod:`.giveaways`       the phrases that these checks search for
:mod:`.monologue`       the model's judgement of a reply, parsed from free text
:mod:`.memory`          what the user remembers of the conversation, bounded
======================  ===============================================================================
"""
