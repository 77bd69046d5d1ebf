"""The engine: many conversations at once, every finished turn kept, stopped and resumed at will.

:func:`simulator.engine.run.run_study` runs a study; :func:`simulator.engine.journal.read_episodes` reads what it left.
"""
