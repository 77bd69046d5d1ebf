"""Feelers: raters of what the person felt, one score (1-5) of the chat so far, who never see expressed levels."""
