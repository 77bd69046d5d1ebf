"""holdfast's ``agents.users``."""
