"""holdfast's ``agents.assistants``."""
