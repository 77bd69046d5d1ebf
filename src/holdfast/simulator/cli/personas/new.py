"""``holdfast persona new``: a commented file of a new persona, from flags, from questions, or the template."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from holdfast.core.errors import InputError
from holdfast.core.wording import either
from holdfast.personas.checks import languages
from holdfast.personas.drafting import LEVELS, TASK, PersonaDraft, check_draft, draft_yaml
from holdfast.personas.schema import TaskContext
from holdfast.personas.world import world_with
from holdfast.simulator.cli.console import Output, output_options, print_lines, world_options
from holdfast.simulator.cli.personas.yaml_files import EXAMPLES, refuse_taken, say_written, write_new

STYLES = ("plain", "warm", "terse", "chatty")
INTERRUPTED = 130


def draft_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say something of a new persona; ``given`` gathers those that are not None or empty."""
    options = (
        click.option("--id", help="What studies and results call it; made of the name if left out."),
        click.option("--task", metavar="ID", help="What they come for; see: holdfast task list."),
        click.option("--background", metavar="TEXT", help="Who they are, and what brings them here."),
        click.option("--style", "speech", type=click.Choice(STYLES), help="How they speak."),
        click.option("--language", type=click.Choice(languages()), help="What they speak."),
        click.option("--desired", "desired_empathy", type=click.IntRange(1, 3), help="Empathy hoped for: 1 to 3."),
        click.option("--patience", type=click.IntRange(1, 50), help="Poor replies in a row before they leave."),
        click.option("--feeling", "feelings", metavar="WORD", multiple=True, help="An adjective; may be repeated."),
        click.option("--topic", "topics", metavar="PHRASE", multiple=True, help="A noun phrase; may be repeated."),
        click.option("--goal", "goals", metavar="NEED:TOPIC", multiple=True, help="A step; may be repeated."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def given_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a draft that options of :func:`draft_options` name. Raises UsageError for a goal without
    its two parts."""
    given = {key: value for key, value in options.items() if value not in (None, ())}
    if "goals" in given:
        given["goals"] = tuple(map(_goal, given["goals"]))
    return given


def _goal(text: str) -> tuple[str, str]:
    need, colon, topic = (part.strip() for part in text.partition(":"))
    if not (need and colon and topic):
        raise click.UsageError(
            f"--goal {text!r}: write what they need and what it is about, as 'list the steps:the move'"
        )
    return need, topic


@click.command(
    "new",
    epilog="""\b
Examples:
  holdfast persona new noor.yaml
  holdfast persona new noor.yaml --task burnout --style terse --desired 3
  holdfast persona new n.yaml --name Noor --goal "ask for leave:my boss"

Without flags it asks in a terminal, and writes a template in a pipe or with --quiet or --json.""",
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="Who it is; the file's name if left out.")
@draft_options
@world_options
@output_options
def new(
    path: Path,
    name: str | None,
    own_tasks: tuple[Path, ...],
    own_patterns: tuple[Path, ...],
    output: Output,
    **how: Any,
) -> None:
    """Begin a persona file: commented, valid, to be edited."""
    refuse_taken(path)
    tasks = world_with(own_tasks, own_patterns).tasks
    given = given_of(how)
    draft = PersonaDraft(name or _name_in(path), **given)
    if given or name:
        text = draft_yaml(draft, tasks)
    elif sys.stdin.isatty() and sys.stdout.isatty() and not output.bare:
        text = _asked(draft, str(path), tasks)
    else:
        text = (EXAMPLES / "persona.yaml").read_text(encoding="utf-8")
    check_draft(text, str(path), tasks)
    write_new(path, text)
    say_written("persona", path, output)


def _name_in(path: Path) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in path.stem).split()
    return " ".join(word.capitalize() for word in words) or "Somebody"


def _asked(draft: PersonaDraft, name: str, tasks: Mapping[str, TaskContext]) -> str:
    """Return the YAML of what somebody answers, each answer asked for again until it fits."""
    print_lines("Enter keeps what stands in brackets; Ctrl-C writes nothing.")
    try:
        for question in _QUESTIONS:
            draft = _answered(draft, question, name, tasks)
    except (EOFError, KeyboardInterrupt):
        click.echo("\nnothing is written", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    return draft_yaml(draft, tasks)


def _answered(draft: PersonaDraft, key: str, name: str, tasks: Mapping[str, TaskContext]) -> PersonaDraft:
    task = tasks[draft.task or TASK]
    prompt, default = _QUESTIONS[key](draft, task, tasks)
    while True:
        answer = input(f"{prompt} [{default}]: ").strip()
        if not answer:
            return draft
        try:
            asked = replace(draft, **{key: _READ.get(key, str)(answer)})
            check_draft(draft_yaml(asked, tasks), name, tasks)
        except ValueError:
            print_lines(f"  {answer!r} is no whole number")
        except click.UsageError as error:
            print_lines(f"  {error.message}")
        except InputError as error:
            print_lines("\n".join(f"  {fault.message.removeprefix('not written: ')}" for fault in error.faults))
        else:
            return asked


def _words(answer: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in answer.split(",") if word.strip())


_READ: Mapping[str, Callable[[str], Any]] = {
    "desired_empathy": int,
    "feelings": _words,
    "goals": lambda answer: tuple(map(_goal, _words(answer))),
}
_Question = Callable[[PersonaDraft, TaskContext, Mapping[str, TaskContext]], tuple[str, object]]
_QUESTIONS: Mapping[str, _Question] = {
    "name": lambda draft, _task, _tasks: ("Name", draft.name),
    "task": lambda _draft, _task, tasks: (f"What do they come for? {either(list(tasks))}", TASK),
    "background": lambda _draft, _task, _tasks: ("Who are they, and what brings them here?", "to be written later"),
    "speech": lambda _draft, _task, _tasks: (f"How do they speak? {either(STYLES)}", LEVELS["speech"]),
    "desired_empathy": lambda _draft, _task, _tasks: (
        "How much empathy do they hope for? 1 little, 2 some, 3 much",
        LEVELS["desired_empathy"],
    ),
    "feelings": lambda _draft, _task, _tasks: ("How do they feel? Adjectives, with commas between", "unsure"),
    "goals": lambda _draft, task, _tasks: (
        "What do they want to get done? need:topic, with commas between",
        f"{task.needs[0]}:{task.topics[0]}, …",
    ),
}
