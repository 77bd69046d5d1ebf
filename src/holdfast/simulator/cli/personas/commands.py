"""``holdfast persona``: list, show and check personas, talk with one, or print a template for a new one."""

import os
from dataclasses import asdict
from pathlib import Path

import click

from holdfast.agents.registry import untrained
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote
from holdfast.personas import loading
from holdfast.personas.schema import Persona
from holdfast.simulator.cli.console import console, output_options, print_json, print_table
from holdfast.simulator.cli.personas.talk import talk_with

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
            ["id", "name", "task", "pattern", "desired", "speech"],
            [_row(person) for person in sorted(people, key=lambda person: (person.task, person.id))],
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
def show(who: str, as_json: bool, quiet: bool) -> None:
    """One persona as a card: background, expectations, goals."""
    from holdfast.simulator.cli.personas.card import persona_card

    person = _find(who)
    if as_json:
        print_json(_as_json(person))
    elif not quiet:
        console().print(persona_card(person))


@persona.command(
    epilog="""\b
Examples:
  holdfast persona talk jun_park
  holdfast persona talk me.yaml --turns 8 --candidate system_prompt
  holdfast persona talk me.yaml --seed 2 --json | jq .turns[].reply
  holdfast persona talk me.yaml --user-model hf:models/my-model

Nothing is written to disk; the same seed gives the same conversation."""
)
@click.argument("who", metavar="ID|FILE")
@click.option(
    "--turns", type=click.IntRange(1, 1000), default=4, show_default=True, help="At most; the user may leave."
)
@click.option(
    "--candidate",
    type=click.Choice(untrained()),
    default="base",
    show_default=True,
    help="Who replies: the embedded model bare, under its system prompt, or reminded of it again and again.",
)
@click.option("--user-model", metavar="REF", help="A model that plays the persona; without it, rules do.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Everything random comes from it.")
@click.option("--json", "as_json", is_flag=True, help="Print the conversation as JSON on standard output.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what the two say.")
def talk(
    who: str, *, turns: int, candidate: str, user_model: str | None, seed: int, as_json: bool, quiet: bool
) -> None:
    """Hear a persona talk with the embedded model, turn by turn, and see what it feels."""
    person, shown = _find(who), {"as_json": as_json, "quiet": quiet}
    talk_with(who, person, turns=turns, candidate=candidate, user_model=user_model, seed=seed, **shown)


@persona.command(
    epilog="""\b
Examples:
  holdfast persona check me.yaml
  holdfast persona check my_personas/ --json

Every fault is one line, FILE:LINE:COLUMN: what is wrong; the exit code is then 2."""
)
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@output_options
def check(paths: tuple[Path, ...], as_json: bool, quiet: bool) -> None:
    """Find every fault of persona files, and of those that lie in folders."""
    try:
        count = len(loading.load_personas(paths))
    except InputError as error:
        if not as_json:
            raise
        print_json({"ok": False, "personas": 0, "faults": [asdict(fault) for fault in error.faults]})
        raise click.exceptions.Exit(2) from None
    if as_json:
        print_json({"ok": True, "personas": count, "faults": []})
    elif not quiet:
        click.echo(f"ok: {count} persona{'s' if count != 1 else ''}")


@persona.command(
    epilog="""\b
Examples:
  holdfast persona schema > persona.schema.json
  holdfast persona schema --example > me.yaml"""
)
@click.option("--example", is_flag=True, help="Print a commented persona to start from instead (YAML).")
@output_options
def schema(example: bool, as_json: bool, quiet: bool) -> None:
    """The JSON schema of persona files, for an editor's completion."""
    if quiet:
        return
    if example and not as_json:
        click.echo(EXAMPLE.read_text(encoding="utf-8"), nl=False)
    elif example:
        print_json(loading.load_persona(EXAMPLE).model_dump(mode="json"))
    else:
        described = Persona.model_json_schema()
        described["properties"]["task"]["enum"] = list(loading.tasks())
        print_json(described)


def _find(who: str) -> Persona:
    """Return a persona of the library by id, else the persona of a file."""
    people = loading.library()
    if who in people:
        return people[who]
    if os.path.exists(who) or os.sep in who or who.endswith((".yaml", ".yml")):
        return loading.load_persona(who)
    hint = did_you_mean(who, people)
    raise InputError(f"no persona and no file {quote(who)}{hint} (see holdfast persona list)")


def _row(person: Persona) -> list[str]:
    pattern = loading.pattern_of(person.task).id
    return [person.id, person.name, person.task, pattern, str(person.desired_empathy), person.speech]


def _as_json(person: Persona) -> dict[str, object]:
    return {**person.model_dump(mode="json"), "pattern": loading.pattern_of(person.task).id}
