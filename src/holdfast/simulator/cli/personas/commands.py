"""``holdfast persona``: list, show and check personas, talk with one, or print a template for a new one."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.personas import loading
from holdfast.personas.checks import language_doubt, languages
from holdfast.personas.coverage import coverage_of
from holdfast.personas.extending import KEY
from holdfast.personas.schema import Persona
from holdfast.personas.world import World, world_with
from holdfast.simulator.cli.console import (
    Output,
    console,
    output_options,
    print_json,
    print_lines,
    print_table,
    world_options,
)
from holdfast.simulator.cli.personas.card import find_persona, persona_card
from holdfast.simulator.cli.personas.coverage import print_coverage
from holdfast.simulator.cli.personas.importing import import_
from holdfast.simulator.cli.personas.new import new
from holdfast.simulator.cli.personas.talk import talk
from holdfast.simulator.cli.personas.yaml_files import YamlKind, add_file_commands, check_files


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
  holdfast persona list --coverage
  holdfast persona list my_people/ --coverage --json
  holdfast persona list --quiet | head -3""",
)
@click.argument("paths", metavar="[FILE|DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--task", metavar="ID", help="Only personas of this task.")
@click.option("--coverage", is_flag=True, help="What they cover of tasks, feelings, styles, languages and wishes.")
@world_options
@click.option("--json", "as_json", is_flag=True, help="Print the personas, or what they cover, as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Print the ids only, one a line; of --coverage, the holes.")
def list_(
    paths: tuple[Path, ...],
    task: str | None,
    coverage: bool,
    own_tasks: tuple[Path, ...],
    own_patterns: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """The personas that come with holdfast, or those of files and folders."""
    world = world_with(own_tasks, own_patterns)
    if task is not None:
        world.pattern_of(task)  # raises for a task that does not exist
    everyone = loading.load_personas(paths, world.tasks) if paths else loading.library().values()
    people = [person for person in everyone if task in {None, person.task}]
    if coverage:
        covered = coverage_of(people, world.tasks if task is None else [task], languages())
        output = Output(as_json, quiet)
        output.show(covered.as_json(), lambda: print_coverage(covered))
        if quiet and not as_json:
            print_lines("\n".join(covered.holes()))
    elif as_json:
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
    """Return the schema of a file: who ``extends`` another gives what it likes, anybody else all that is required."""
    described = Persona.model_json_schema()
    described["properties"]["task"]["examples"] = list(loading.tasks())
    about = "a persona of the library by id, or a file relative to this one: what this file does not give is its"
    described["properties"] = {KEY: {"type": "string", "description": about}, **described["properties"]}
    whole = {name: described["$defs"][name].pop("required") for name in ("Story", "Openings")}
    story = {"required": whole["Story"], "properties": {"openings": {"required": whole["Openings"]}}}
    described["if"], described["then"] = {"required": [KEY]}, {"required": ["id"]}
    described["else"] = {"required": described.pop("required"), "properties": {"story": story}}
    return described


def _as_json(person: Persona, world: World) -> dict[str, object]:
    return {**person.model_dump(mode="json"), "pattern": world.pattern_of(person.task).id}


_KIND = YamlKind("persona", _count, lambda: Persona, _persona_schema)


@persona.command(
    epilog="""\b
Examples:
  holdfast persona check mine.yaml
  holdfast persona check my_people/ --json
  holdfast persona check --effect mine.yaml jun_park

Every fault is one line, FILE:LINE:COLUMN: what is wrong; the exit code is then 2.
With --effect each field is changed by itself, and scripted talks are held again, without a
model: what changes, messages, only feelings, or nothing? The exit code is 1 where a field
changes nothing, and the schema does not say what it is for.""",
)
@click.argument("names", metavar="FILE|DIR|ID...", nargs=-1, required=True)
@click.option("--effect", is_flag=True, help="Say which fields change anything in a talk (seconds a persona).")
@world_options
@output_options
def check(
    names: tuple[str, ...],
    effect: bool,
    own_tasks: tuple[Path, ...],
    own_patterns: tuple[Path, ...],
    output: Output,
) -> None:
    """Find every fault of persona files, also in folders."""
    if not effect:
        check_files(_KIND, [Path(name) for name in names], (own_tasks, own_patterns), output)
        return
    from holdfast.simulator.cli.personas.effect import check_effects

    world = world_with(own_tasks, own_patterns)
    check_effects(loading.named_people(names, world.tasks), world, output)


add_file_commands(persona, _KIND, own=["check", "new"])
persona.add_command(new)
persona.add_command(import_)
persona.add_command(talk)
