"""What other installed packages bring: candidates, raters and log formats, by entry points.

A package names them in its ``pyproject.toml``::

    [project.entry-points."holdfast.candidates"]
    telecom_bot = "my_package:reply"          # a function, or an object with ``spec`` and ``build``

    [project.entry-points."holdfast.raters"]
    politeness = "my_package:POLITENESS"      # an object with ``spec`` and ``build``

    [project.entry-points."holdfast.log_formats"]
    callcentre = "my_package:FORMAT"          # a holdfast.simulator.logs.protocols.LogFormat

One that cannot be loaded is left out and named by ``holdfast plugins``; it stops nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from holdfast.core.wording import first_line, shorten

GROUPS = ("holdfast.candidates", "holdfast.raters", "holdfast.log_formats")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point. ``value``: what it brings, None where it could not be loaded; ``fault``: why."""

    group: str
    name: str
    package: str
    value: Any = None
    fault: str = ""


@cache
def plugins(group: str) -> tuple[Plugin, ...]:
    """Return what installed packages bring to ``group``, in the order of their names."""
    return tuple(_loaded(point) for point in sorted(entry_points(group=group), key=lambda point: point.name))


def _loaded(point: EntryPoint) -> Plugin:
    package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "unknown"
    try:
        return Plugin(point.group, point.name, package, point.load())
    except Exception as error:  # another package's code may raise anything
        fault = f"{type(error).__name__}: {shorten(first_line(error), 200)}"
        return Plugin(point.group, point.name, package, fault=fault)


def register_all(group: str, register: Callable[[str, Any], None]) -> list[Plugin]:
    """Hand every loaded plugin to ``register``; return the plugins, with why one was not taken."""
    taken = []
    for plugin in plugins(group):
        fault = plugin.fault
        if not fault:
            try:
                register(plugin.name, plugin.value)
            except Exception as error:
                fault = f"{type(error).__name__}: {shorten(first_line(error), 200)}"
        taken.append(Plugin(plugin.group, plugin.name, plugin.package, plugin.value, fault))
    return taken
