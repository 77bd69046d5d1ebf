"""Shared foundations: errors, text, YAML with line numbers, atomic files, seeds, rounding."""
