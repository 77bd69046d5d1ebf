"""holdfast's ``adapters.micro``."""
