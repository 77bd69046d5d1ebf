"""Judges at work on conversations in files: logs in any format in, one JSON line per rated reply out."""
