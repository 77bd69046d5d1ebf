"""Models of this machine: the engine that keeps every conversation's keys and values."""
