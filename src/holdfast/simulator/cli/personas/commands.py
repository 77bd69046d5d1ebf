"""``holdfast persona``: list, show and check personas, talk with one, or print a template for a new one."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.personas import loading
from holdfast.personas.checks import language_doubt
from holdfast.personas.schema import Persona
from holdfast.personas.world import World, shipped_world, world_with
from holdfast.simulator.cli.console import Output, console, output_options, print_json, print_table, world_options
from holdfast.simulator.cli.personas.card import find_persona, persona_card
from holdfast.simulator.cli.personas.importing import import_
from holdfast.simulator.cli.personas.new import new
from holdfast.simulator.cli.personas.talk import talk
from holdfast.simulator.cli.personas.yaml_files import YamlKind, add_file_commands


@click.group(
    epilog="""\b
Examples:
  holdfast persona list --task burnout
  holdfast persona show priya_raman
  holdfast persona new me.yaml
  holdfast persona check me.yaml
  holdfast persona talk me.yaml"""
)
def persona() -> None:
    """List, show, check and talk with personas: the people whom holdfast simulates."""


@persona.command(
    "list",
    epilog="""\b
Examples:
  holdfast persona list
  holdfast persona list --task team_conflict
  holdfast persona list --quiet | head -3""",
)
@click.option("--task", metavar="ID", help="Only personas of this task.")
@click.option("--json", "as_json", is_flag=True, help="Print the personas as JSON on standard output.")
@click.option("--quiet", "-q", is_flag=True, help="Print the ids only, one a line.")
def list_(task: str | None, as_json: bool, quiet: bool) -> None:
    """The personas that come with holdfast."""
    world = shipped_world()
    if task is not None:
        world.pattern_of(task)  # raises for a task that does not exist
    people = [person for person in loading.library().values() if task in {None, person.task}]
    if as_json:
        print_json([_as_json(person, world) for person in people])
    elif quiet:
        click.echo("\n".join(person.id for person in people))
    else:
        print_table(
            ["id", "name", "task", "pattern", "desired"],
            [
                [who.id, who.name, who.task, world.pattern_of(who.task).id, who.desired_empathy]
                for who in sorted(people, key=lambda person: (person.task, person.id))
            ],
            numbers=[4],
        )


@persona.command(
    epilog="""\b
Examples:
  holdfast persona show jun_park
  holdfast persona show me.yaml --json"""
)
@click.argument("who", metavar="ID|FILE")
@world_options
@output_options
def show(who: str, own_tasks: tuple[Path, ...], own_patterns: tuple[Path, ...], output: Output) -> None:
    """One persona as a card: background, expectations, goals."""
    world = world_with(own_tasks, own_patterns)
    person = find_persona(who, world)
    output.show(_as_json(person, world), lambda: console().print(persona_card(person, world)))


def _count(paths: Sequence[Path], own_tasks: Sequence[Path], own_patterns: Sequence[Path]) -> int:
    personas = loading.load_personas(paths, world_with(own_tasks, own_patterns).tasks)
    for doubt in filter(None, map(language_doubt, personas)):
        warnings.warn(doubt, stacklevel=2)
    return len(personas)


def _persona_schema() -> dict[str, Any]:
    described = Persona.model_json_schema()
    described["properties"]["task"]["examples"] = list(loading.tasks())
    return described


def _as_json(person: Persona, world: World) -> dict[str, object]:
    return {**person.model_dump(mode="json"), "pattern": world.pattern_of(person.task).id}


add_file_commands(persona, YamlKind("persona", _count, lambda: Persona, _persona_schema), own=["new"])
persona.add_command(new)
persona.add_command(import_)
persona.add_command(talk)
