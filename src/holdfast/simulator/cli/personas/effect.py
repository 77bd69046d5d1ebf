"""``holdfast persona check --effect``: which fields of personas change anything in a talk."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import click

from holdfast.agents.users.effects.measured import FieldEffect, effects_of
from holdfast.personas.checks import languages
from holdfast.personas.schema import Persona
from holdfast.personas.world import World
from holdfast.simulator.cli.console import Output, print_json, print_lines, print_table
from holdfast.simulator.cli.progress import counting

FAILED = 1


def check_effects(people: Sequence[Persona], world: World, output: Output) -> None:
    """Print what each field of each person changes; exit with 1 where one changes nothing and nothing says why.

    Fields of the same name are one line; those that change nothing are named one by one.
    """
    effects_by: dict[str, list[FieldEffect]] = {}
    with counting("people done", "fields changed", quiet=output.bare) as count:
        for number, person in enumerate(people):
            before = sum(map(len, effects_by.values()))
            report = partial(_told, count, number, before)
            effects_by[person.id] = asyncio.run(effects_of(person, world.tasks, languages(), report))
    failed = [effect for effects in effects_by.values() for effect in effects if effect.unexplained]
    if output.as_json:
        print_json({"ok": not failed, "personas": {id: _as_json(effects) for id, effects in effects_by.items()}})
    else:
        for id, effects in effects_by.items():
            if not output.quiet:
                _print(id, effects)
            for effect in effects:
                if effect.unexplained:
                    said = f"{id}: {field_name(effect)} changes nothing, and the schema does not say what it is for"
                    print_lines(said, stderr=True)
    if failed:
        raise click.exceptions.Exit(FAILED)


def _told(count: Callable[[int, int], None], people: int, before: int, done: int, _total: int) -> None:
    count(people, before + done)


def field_name(effect: FieldEffect) -> str:
    """Return a field's path as messages have it: ``goals[2].need``."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in effect.path).lstrip(".")


def _print(id: str, effects: Iterable[FieldEffect]) -> None:
    rows: list[list[object]] = []
    kinds: dict[str, list[FieldEffect]] = {}
    for effect in effects:
        kinds.setdefault(_kind(effect), []).append(effect)
    for name, same in kinds.items():
        changes = dict.fromkeys(effect.changes for effect in same)
        for change in changes:
            some = [effect for effect in same if effect.changes == change]
            count = len(some) if len(same) > 1 else None
            if change == "nothing":
                rows += [[field_name(effect), None, change, effect.used_for or "?"] for effect in some]
            else:
                rows.append([name, count, change, ""])
    print_lines(id)
    print_table(["field", "values", "changes", "is for"], rows, numbers=[1])


def _kind(effect: FieldEffect) -> str:
    goals_asked = effect.path[:2] == ("story", "goals")
    parts = effect.path[:2] if goals_asked else effect.path
    return ".".join(str(part) for part in parts if not isinstance(part, int))


def _as_json(effects: Iterable[FieldEffect]) -> list[dict[str, Any]]:
    return [{"field": field_name(each), "changes": each.changes, "used_for": each.used_for or None} for each in effects]
