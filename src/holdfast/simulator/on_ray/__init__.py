"""A study over many machines with Ray: models are actors, groups of conversations are tasks, the driver journals.

Ray is imported by this package's modules only, and only ``holdfast run --on ray`` imports them.
"""
