"""The ``holdfast persona`` commands: list, show, check and talk with personas."""
