"""holdfast's ``personas``."""
