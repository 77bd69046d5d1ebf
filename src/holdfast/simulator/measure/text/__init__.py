"""Measures computed from the words of replies and messages."""
