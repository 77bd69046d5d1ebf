"""``holdfast micro``."""
