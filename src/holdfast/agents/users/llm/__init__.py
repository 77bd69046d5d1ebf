"""User agents played by a chat model, within bounds that code sets.

What a message may be about, and when a goal counts as met, follows the same rules as for the embedded users. The model
finds the words and judges the replies. Where a message fails the checks or a judgement cannot be read, the embedded
user's words and formulas are used, and every such case is counted in the state.
"""
