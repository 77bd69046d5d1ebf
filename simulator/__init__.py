"""holdfast's ``simulator``."""
