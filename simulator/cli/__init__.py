"""holdfast's ``simulator.cli``."""
