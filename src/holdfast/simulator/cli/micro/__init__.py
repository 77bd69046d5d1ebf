"""The ``holdfast micro`` commands: build, ablate and describe the embedded base model."""
