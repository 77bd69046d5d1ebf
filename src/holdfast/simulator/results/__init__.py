"""From episodes to ``results.json``: the typed model, and how it is measured, written and read."""
