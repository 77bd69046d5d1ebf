"""holdfast's ``agents.models``."""
