"""holdfast's ``agents``."""
