"""The append-only SQLite file that holds every finished turn."""
