"""The tasks and empathy patterns that a study knows: those that holdfast ships, and one's own from YAML.

A task of one's own names a pattern of one's own or a shipped one. No id may be taken twice, so that a result's task
never means two things.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, either, printable, quote
from holdfast.core.yaml_source import YamlSource
from holdfast.personas.checks import check_known, check_repeated, own_by
from holdfast.personas.loading import AnyPath, Check, load_all, patterns, tasks
from holdfast.personas.schema import EmpathyPattern, TaskContext

_Named = TypeVar("_Named", TaskContext, EmpathyPattern)


@dataclass(frozen=True)
class World:
    """Tasks and patterns by id. ``own_tasks``, ``own_patterns``: those that holdfast does not ship."""

    tasks: Mapping[str, TaskContext]
    patterns: Mapping[str, EmpathyPattern]
    own_tasks: tuple[TaskContext, ...] = ()
    own_patterns: tuple[EmpathyPattern, ...] = ()

    def pattern_of(self, task_id: str) -> EmpathyPattern:
        """Return the pattern that people expect in a task.

        Raises:
            InputError: There is no such task.
        """
        if task_id not in self.tasks:
            hint = did_you_mean(task_id, self.tasks)
            raise InputError(f"no task {quote(task_id)}{hint} (allowed: {either(list(self.tasks))})")
        return self.patterns[self.tasks[task_id].pattern]


@cache
def shipped_world() -> World:
    """Return the tasks and patterns that holdfast ships."""
    return World(dict(tasks()), dict(patterns()))


def world_with(
    own_tasks: Sequence[AnyPath | TaskContext] = (), own_patterns: Sequence[AnyPath | EmpathyPattern] = ()
) -> World:
    """Return the shipped world with one's own tasks and patterns: models, files, or folders of files.

    Raises:
        InputError: With every fault of every file; an id that is taken; a task whose pattern does not exist.
    """
    known = _together("pattern", patterns(), own_patterns, EmpathyPattern)

    def check(source: YamlSource) -> Iterable[Fault]:
        yield from check_known(source, "pattern", known)
        yield from check_repeated(source, ("topics", "needs"))

    every = _together("task", tasks(), own_tasks, TaskContext, check)
    for task in every.values():
        if task.pattern not in known:
            hint = did_you_mean(task.pattern, known)
            raise InputError(
                f"task {quote(task.id)}: unknown pattern {quote(task.pattern)}{hint} "
                f"(allowed: {either(sorted(known))}; {own_by('pattern')})"
            )
    return World(
        every,
        known,
        tuple(task for id, task in every.items() if id not in tasks()),
        tuple(pattern for id, pattern in known.items() if id not in patterns()),
    )


def _together(
    what: str,
    shipped: Mapping[str, _Named],
    own: Sequence[AnyPath | _Named],
    model: type[_Named],
    *checks: Check,
) -> dict[str, _Named]:
    """Return shipped and own models by id; the same one twice is one."""
    every = dict(shipped)
    for item in own:
        if isinstance(item, TaskContext | EmpathyPattern):
            models: Sequence[_Named] = [item]
        else:
            models = load_all([item], model, what, checks)
        for each in models:
            if each.id in every and (each.id in shipped or each != every[each.id]):
                taken = "holdfast's own" if each.id in shipped else "given twice"
                where = f"{printable(str(item))}: " if isinstance(item, str | Path) else ""
                raise InputError(f"{where}{what} id {quote(each.id)} is {taken}; rename yours, or name it once")
            every[each.id] = each
    return every
