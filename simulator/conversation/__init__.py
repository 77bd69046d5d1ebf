"""holdfast's ``simulator.conversation``."""
