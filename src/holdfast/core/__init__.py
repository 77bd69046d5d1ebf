"""What everything stands on: errors, text, YAML with places, atomic files, seeds, hashing."""
