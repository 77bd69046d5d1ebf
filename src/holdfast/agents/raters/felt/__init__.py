"""Feelers: raters of what the person felt, one overall score (1-5) on the chat so far, who never see expressed levels."""
