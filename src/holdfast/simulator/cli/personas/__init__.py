"""``holdfast persona``."""
