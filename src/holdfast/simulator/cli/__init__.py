"""holdfast's ``holdfast.simulator.cli``."""
