"""User agents played by rules, without a model."""
