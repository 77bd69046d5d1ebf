"""holdfast's ``holdfast.agents.users``."""
