"""holdfast's ``adapters``."""
