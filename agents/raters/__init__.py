"""holdfast's ``agents.raters``."""
