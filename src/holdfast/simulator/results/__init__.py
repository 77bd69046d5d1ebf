"""Episodes to ``results.json``."""
