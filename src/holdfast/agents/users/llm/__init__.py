"""User agents whose words and feelings a chat model makes, within bounds that code sets.

What may be said at a turn, and when a goal counts as met, is decided by the same rules as for the embedded users. The
model puts it into words and judges the replies. Where it falls out of its part or gives no readable judgement, the
embedded user's words and formulas stand in, and every such case is counted in the state.

======================  ===============================================================================
:mod:`.agent`           the user agent: speaks, feels
:mod:`.prompting`       what the model is shown: persona, memory, chat between markers, what to bring up
:mod:`.guards`          is this line the user's own? deterministic checks, by name
:mod:`.monologue`       the model's judgement of a reply, read from whatever text it came in
:mod:`.memory`          what is remembered of the conversation, bounded
======================  ===============================================================================
"""
