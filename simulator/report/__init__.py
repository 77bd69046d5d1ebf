"""holdfast's ``simulator.report``."""
