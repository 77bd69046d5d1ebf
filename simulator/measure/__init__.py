"""holdfast's ``simulator.measure``."""
