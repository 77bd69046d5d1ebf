"""One module a format: how its files are read, and how they are written."""
