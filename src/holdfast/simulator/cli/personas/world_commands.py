"""``holdfast task`` and ``holdfast pattern``: what conversations are for, and the empathy that people expect there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Group
from rich.markup import escape

from holdfast.core.errors import InputError
from holdfast.core.files import is_file
from holdfast.core.wording import did_you_mean, quote
from holdfast.personas.schema import EmpathyPattern, MechanismLevels, TaskContext
from holdfast.personas.world import shipped_world, world_with
from holdfast.simulator.cli.console import Output, console, output_options, print_table, world_options
from holdfast.simulator.cli.personas.yaml_files import YamlKind, add_file_commands

_Model = TypeVar("_Model", TaskContext, EmpathyPattern)


@click.group(
    epilog="""\b
Examples:
  holdfast task list
  holdfast task show burnout
  holdfast task new broken_line.yaml
  holdfast task check broken_line.yaml --patterns calm_helper.yaml

A study takes tasks of your own:  tasks: [broken_line.yaml]"""
)
def task() -> None:
    """List, show, check and begin tasks: what conversations are for."""


@task.command("list", epilog="\b\nExamples:\n  holdfast task list\n  holdfast task list --json")
@output_options
def list_tasks(output: Output) -> None:
    """The tasks that come with holdfast."""
    tasks = shipped_world().tasks
    rows = [[each.id, each.title, each.pattern, len(each.topics), len(each.needs)] for each in tasks.values()]
    output.show(
        [each.model_dump(mode="json") for each in tasks.values()],
        lambda: print_table(["id", "title", "pattern", "topics", "needs"], rows, numbers=[3, 4]),
    )


@task.command("show", epilog="\b\nExamples:\n  holdfast task show burnout\n  holdfast task show mine.yaml --json")
@click.argument("which", metavar="ID|FILE")
@world_options
@output_options
def show_task(which: str, own_tasks: tuple[Path, ...], own_patterns: tuple[Path, ...], output: Output) -> None:
    """One task: title, description, pattern, topics and needs."""
    known = world_with(_with_file(own_tasks, which), own_patterns)
    each = _of(known.tasks, known.own_tasks, which, "task")
    lists = [f"\n[dim]{name}[/dim]\n  {escape(', '.join(getattr(each, name)))}" for name in ("topics", "needs")]
    output.show(
        each.model_dump(mode="json"),
        lambda: console().print(Group(_head(each), f"[dim]pattern[/dim]  {each.pattern}", *lists)),
    )


@click.group(
    epilog="""\b
Examples:
  holdfast pattern list
  holdfast pattern show companion
  holdfast pattern new calm_helper.yaml
  holdfast pattern check calm_helper.yaml

A study takes patterns of your own:  patterns: [calm_helper.yaml]"""
)
def pattern() -> None:
    """List, show, check and begin empathy patterns: how much of each an assistant should express."""


@pattern.command("list", epilog="\b\nExamples:\n  holdfast pattern list\n  holdfast pattern list --json")
@output_options
def list_patterns(output: Output) -> None:
    """The empathy patterns that come with holdfast."""
    patterns = shipped_world().patterns
    rows = [[each.id, each.title, *each.expressed.as_array(), each.advice] for each in patterns.values()]
    columns = ["id", "title", "emotional reaction", "interpretation", "exploration", "advice"]
    output.show(
        [each.model_dump(mode="json") for each in patterns.values()],
        lambda: print_table(columns, [[f"{x:g}" if isinstance(x, float) else x for x in row] for row in rows]),
    )


@pattern.command("show", epilog="\b\nExamples:\n  holdfast pattern show solver\n  holdfast pattern show mine.yaml")
@click.argument("which", metavar="ID|FILE")
@output_options
def show_pattern(which: str, output: Output) -> None:
    """A pattern: description, target levels, and its prompt."""
    from holdfast.agents.prompts import pattern_prompt

    known = world_with((), _with_file((), which))
    each = _of(known.patterns, known.own_patterns, which, "pattern")
    levels = "\n".join(f"  {name.replace('_', ' ')} {level:g}" for name, level in each.target.model_dump().items())
    prompt = pattern_prompt(each)
    scale = (
        ", 0-2" if isinstance(each.target, MechanismLevels) else f" on the scale {each.scale or 'of the first rater'}"
    )
    output.show(
        each.model_dump(mode="json") | {"system_prompt": prompt},
        lambda: console().print(
            Group(
                _head(each),
                f"[dim]target{scale}[/dim]\n{levels}\n  advice {each.advice}",
                f"\n[dim]as a system prompt[/dim]\n  {escape(prompt)}",
            )
        ),
    )


def _with_file(own: Sequence[Path], which: str) -> tuple[Path, ...]:
    return (*own, Path(which)) if which.endswith((".yaml", ".yml")) or is_file(Path(which)) else tuple(own)


def _of(known: Mapping[str, _Model], own: Sequence[_Model], which: str, what: str) -> _Model:
    """The model that an id or a file names."""
    if which in known:
        return known[which]
    if own:
        return own[-1]
    raise InputError(f"no {what} and no file {quote(which)}{did_you_mean(which, known)} (see holdfast {what} list)")


def _head(each: TaskContext | EmpathyPattern) -> str:
    first = f"[bold]{escape(each.title)}[/bold]  ({each.id})"
    return f"{first}\n{escape(each.description)}\n[dim]{escape(each.assumption)}[/dim]\n"


def _count_tasks(paths: Sequence[Path], tasks: Sequence[Path], patterns: Sequence[Path]) -> int:
    return len(world_with((*tasks, *paths), patterns).own_tasks)


def _count_patterns(paths: Sequence[Path], _tasks: Sequence[Path], patterns: Sequence[Path]) -> int:
    return len(world_with((), (*patterns, *paths)).own_patterns)


add_file_commands(task, YamlKind("task", _count_tasks, lambda: TaskContext))
add_file_commands(pattern, YamlKind("pattern", _count_patterns, lambda: EmpathyPattern))
