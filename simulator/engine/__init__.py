"""holdfast's ``simulator.engine``."""
