"""The engine: many conversations at once, every finished turn kept, stopped and resumed at will.

:func:`holdfast.simulator.engine.run.run_study` runs a study; :func:`holdfast.simulator.journal.store.read_episodes`
reads what it left.
"""
