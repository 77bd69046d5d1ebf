"""``holdfast persona import``: people of other tools as persona files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import printable
from holdfast.personas.drafting import check_draft, defaults_of, draft_yaml, persona_id_of
from holdfast.personas.imported import SOURCES, Source, imported_person
from holdfast.personas.world import world_with
from holdfast.simulator.cli.console import Output, output_options, print_lines, world_options
from holdfast.simulator.cli.personas.new import draft_options, given_of
from holdfast.simulator.cli.personas.yaml_files import refuse_taken, write_new


@click.command(
    "import",
    epilog="""\b
Examples:
  holdfast persona import rosa.json --from sdialog --out people --task burnout
  holdfast persona import cards/*.json --from card --out people

What the file lacks (task, goals, hoped-for empathy) is a commented default, or taken
from the options; what has no place in a persona is listed. PNG cards: export JSON first.""",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--from", "source", type=click.Choice(SOURCES), required=True, help="Which tool wrote them.")
@click.option("--out", required=True, metavar="FOLDER", type=click.Path(path_type=Path), help="Where the YAML goes.")
@draft_options
@world_options
@output_options
def import_(
    files: tuple[Path, ...],
    source: Source,
    out: Path,
    own_tasks: tuple[Path, ...],
    own_patterns: tuple[Path, ...],
    output: Output,
    **how: Any,
) -> None:
    """Make persona files of sdialog's personas or of character cards."""
    tasks, given = world_with(own_tasks, own_patterns).tasks, given_of(how)
    made: dict[Path, tuple[Path, str, dict[str, Any]]] = {}
    faults: list[Fault] = []
    for file in files:
        try:
            person = imported_person(file, source)
            draft = replace(person.draft, name=person.draft.name or file.stem[:40], **given)
            lacking = ", ".join(person.left_out)
            notes = [f"From {printable(file.name)} ({source}).", *([f"Left out: {lacking}."] if lacking else [])]
            text = draft_yaml(replace(draft, notes=notes), tasks)
            path = out / f"{given.get('id') or persona_id_of(draft.name)}.yaml"
            check_draft(text, printable(str(file)), tasks)
            if path in made:
                raise InputError([Fault(printable(str(file)), f"would be {path}, as {made[path][0]}; import it apart")])
            refuse_taken(path)
            about = {"file": str(path), "left_out": list(person.left_out), "defaults": defaults_of(draft)}
            made[path] = (file, text, about)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    for path, (_, text, _about) in made.items():
        write_new(path, text)
    output.show([about for *_, about in made.values()], lambda: _say([about for *_, about in made.values()]))


def _say(persons: list[dict[str, Any]]) -> None:
    for about in persons:
        print_lines(f"{about['file']}: edit it, then: holdfast persona check {about['file']}")
        for what, keys in (("left out", about["left_out"]), ("a default, to be changed", about["defaults"])):
            if keys:
                print_lines(f"  {what}: {', '.join(keys)}")
