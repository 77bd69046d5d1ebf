"""``holdfast persona``: list, show and check personas, talk with one, or print a template for a new one."""

from dataclasses import asdict
from pathlib import Path

import click

from holdfast.core.errors import InputError
from holdfast.core.wording import how_many
from holdfast.personas import loading
from holdfast.personas.schema import Persona
from holdfast.simulator.cli.console import Output, console, output_options, print_json, print_table
from holdfast.simulator.cli.personas.card import find_persona, persona_card
from holdfast.simulator.cli.personas.talk import talk

EXAMPLE = Path(loading.__file__).parent / "example.yaml"


@click.group(
    epilog="""\b
Examples:
  holdfast persona list --task burnout
  holdfast persona show priya_raman
  holdfast persona schema --example > me.yaml
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
    if task is not None:
        loading.pattern_of(task)  # raises for a task that does not exist
    people = [person for person in loading.library().values() if task in {None, person.task}]
    if as_json:
        print_json([_as_json(person) for person in people])
    elif quiet:
        click.echo("\n".join(person.id for person in people))
    else:
        print_table(
            ["id", "name", "task", "pattern", "desired"],
            [
                [who.id, who.name, who.task, loading.pattern_of(who.task).id, who.desired_empathy]
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
@output_options
def show(who: str, output: Output) -> None:
    """One persona as a card: background, expectations, goals."""
    person = find_persona(who)
    output.show(_as_json(person), lambda: console().print(persona_card(person)))


@persona.command(
    epilog="""\b
Examples:
  holdfast persona check me.yaml
  holdfast persona check my_personas/ --json

Every fault is one line, FILE:LINE:COLUMN: what is wrong; the exit code is then 2."""
)
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@output_options
def check(paths: tuple[Path, ...], output: Output) -> None:
    """Find every fault of persona files, also in folders."""
    try:
        count = len(loading.load_personas(paths))
    except InputError as error:
        if not output.as_json:
            raise
        print_json({"ok": False, "personas": 0, "faults": [asdict(fault) for fault in error.faults]})
        raise click.exceptions.Exit(2) from None
    said = f"ok: {how_many(count, 'persona')}"
    output.show({"ok": True, "personas": count, "faults": []}, lambda: click.echo(said))


@persona.command(
    epilog="""\b
Examples:
  holdfast persona schema > persona.schema.json
  holdfast persona schema --example > me.yaml"""
)
@click.option("--example", is_flag=True, help="Print a commented persona to start from instead (YAML).")
@output_options
def schema(example: bool, output: Output) -> None:
    """The JSON schema of persona files, for an editor's completion."""
    if output.quiet:
        return
    if example and not output.as_json:
        click.echo(EXAMPLE.read_text(encoding="utf-8"), nl=False)
    elif example:
        print_json(loading.load_persona(EXAMPLE).model_dump(mode="json"))
    else:
        described = Persona.model_json_schema()
        described["properties"]["task"]["enum"] = list(loading.tasks())
        print_json(described)


def _as_json(person: Persona) -> dict[str, object]:
    return {**person.model_dump(mode="json"), "pattern": loading.pattern_of(person.task).id}


persona.add_command(talk)
