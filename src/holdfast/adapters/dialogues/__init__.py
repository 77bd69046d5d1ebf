"""Training dialogues: steered, filtered, split by person, written as JSON lines."""
