"""What ``holdfast persona``, ``task``, ``pattern`` and ``study`` do alike: check a file, print a schema, begin one."""

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel

import holdfast.personas
from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError
from holdfast.core.files import is_folder
from holdfast.core.wording import how_many, printable
from holdfast.personas.file_kinds import kinds_in_words, others_in
from holdfast.simulator.cli.console import Output, output_options, print_json, print_lines, world_options

EXAMPLES = Path(holdfast.personas.__file__).parent / "examples"


@dataclass(frozen=True)
class YamlKind:
    """One kind of file.

    Attributes:
        word: What it is called.
        count: Reads files and folders, given (paths, own tasks, own patterns); returns how many models they hold.
        model: Returns the model of one file.
        schema: Makes the JSON schema; the model's where None.
        plural: Several of them; the word and an s where empty.
    """

    word: str
    count: Callable[[Sequence[Path], Sequence[Path], Sequence[Path]], int]
    model: Callable[[], type[BaseModel]]
    schema: Callable[[], dict[str, Any]] | None = None
    plural: str = ""

    @property
    def example(self) -> str:
        """A commented file to start from."""
        return (EXAMPLES / f"{self.word}.yaml").read_text(encoding="utf-8")


def add_file_commands(group: click.Group, kind: YamlKind, own: Sequence[str] = ()) -> None:
    """Give ``group`` the commands ``check``, ``schema`` and ``new``, but for those that it has of its ``own``."""
    for name, make in (("check", _check), ("schema", _schema), ("new", _new)):
        if name not in own:
            group.add_command(make(kind))


def check_files(kind: YamlKind, paths: Sequence[Path], own: tuple[Sequence[Path], Sequence[Path]], out: Output) -> None:
    """Say that all files are in order, or every fault. ``own``: tasks and patterns of one's own.

    Raises:
        InputError: With the faults, unless they were printed as JSON.
    """
    word, plural = kind.word, kind.plural or f"{kind.word}s"
    try:
        count = kind.count(paths, *own)
    except InputError as error:
        if not out.as_json:
            raise
        print_json({"ok": False, plural: 0, "faults": [asdict(fault) for fault in error.faults]})
        raise click.exceptions.Exit(2) from None
    others = others_in(paths, word)
    passed = f" ({kinds_in_words(others)} passed over)" if others else ""
    said = f"ok: {how_many(count, word, plural)}{passed}"
    out.show({"ok": True, plural: count, "faults": [], "passed_over": others}, lambda: click.echo(said))


def refuse_taken(path: Path) -> None:
    """Raise InputError where ``path`` is there already, or its folder is not: a slip in a path makes no folders."""
    if os.path.lexists(path):
        raise InputError([Fault(printable(str(path)), "is there already; name a new file")])
    if not is_folder(path.parent):
        folder = shlex.quote(printable(str(path.parent)))
        message = f"its folder {folder} does not exist; check the path, or make it first: mkdir -p {folder}"
        raise InputError([Fault(printable(str(path)), message)])


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, in a folder that is. Raises InputError as :func:`refuse_taken`."""
    refuse_taken(path)
    try:
        with drafted(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError([Fault(printable(str(path)), f"cannot be written: {error.strerror}")]) from error


def say_written(kind: str, path: Path, out: Output) -> None:
    """Say where a new file lies, and how to go on."""
    said = f"{path}: edit it, then: holdfast {kind} check {path}"
    out.show({kind: str(path)}, lambda: print_lines(said))


def _check(kind: YamlKind) -> click.Command:
    word, plural = kind.word, kind.plural or f"{kind.word}s"

    @click.command(
        "check",
        help=f"Find every fault of {word} files, also in folders.",
        epilog=f"""\b
Examples:
  holdfast {word} check mine.yaml
  holdfast {word} check my_{plural}/ --json

Every fault is one line, FILE:LINE:COLUMN: what is wrong; the exit code is then 2.""",
    )
    @click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
    @world_options
    @output_options
    def check(
        paths: tuple[Path, ...], own_tasks: tuple[Path, ...], own_patterns: tuple[Path, ...], output: Output
    ) -> None:
        check_files(kind, paths, (own_tasks, own_patterns), output)

    return check


def _schema(kind: YamlKind) -> click.Command:
    word = kind.word

    @click.command(
        "schema",
        help=f"The JSON schema of {word} files, for an editor's completion.",
        epilog=f"""\b
Examples:
  holdfast {word} schema > {word}.schema.json
  holdfast {word} schema --example > mine.yaml""",
    )
    @click.option("--example", is_flag=True, help=f"Print a commented {word} to start from instead (YAML).")
    @output_options
    def schema(example: bool, output: Output) -> None:
        if output.quiet:
            return
        if example and not output.as_json:
            click.echo(kind.example, nl=False)
        elif example:
            print_json(kind.model().model_validate(yaml.safe_load(kind.example)).model_dump(mode="json"))
        else:
            print_json(kind.schema() if kind.schema is not None else kind.model().model_json_schema())

    return schema


def _new(kind: YamlKind) -> click.Command:
    word = kind.word

    @click.command(
        "new",
        help=f"Begin a {word} file: commented, valid, to be edited.",
        epilog=f"""\b
Examples:
  holdfast {word} new mine.yaml
  holdfast {word} check mine.yaml""",
    )
    @click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
    @output_options
    def new(path: Path, output: Output) -> None:
        write_new(path, kind.example)
        say_written(word, path, output)

    return new
