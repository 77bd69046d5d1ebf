"""User agents that rules play, without any model."""
