"""How one of this package's modules is run in a process of its own."""

import os
import sys


def module_command(module: str) -> list[str]:
    """Return the command that runs ``module`` by this Python, without the working folder in its search path."""
    return [sys.executable, "-P", "-m", module]


def module_environment() -> dict[str, str]:
    """Return this process's environment, with its module search path and the working folder in it spelled out."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(folder or os.getcwd() for folder in sys.path)}
