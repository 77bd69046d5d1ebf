"""For all tests: Hypothesis sets no time limit per example, since a busy machine is no fault of the code."""

from hypothesis import settings

settings.register_profile("holdfast", deadline=None)
settings.load_profile("holdfast")
