"""Commands about studies and their runs."""
