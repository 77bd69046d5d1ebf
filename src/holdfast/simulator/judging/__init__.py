"""Judges at work on conversations in files: ``messages`` JSONL in, one JSON line per rated reply out."""
