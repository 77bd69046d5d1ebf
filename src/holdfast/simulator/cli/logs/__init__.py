"""The commands for conversation logs of other programs: ``measure`` and ``convert``."""
