"""Personas, task contexts and empathy patterns as YAML, and the population drawn from them."""
