"""The ``holdfast`` command: its subcommands, error messages and exit codes.

Subcommands are imported when they are called, so that ``holdfast --help`` does not wait for torch. Exit codes: 0 done,
1 failed, 2 wrong usage or bad input, 3 stopped by a budget, 130 interrupted.
"""

import errno
import importlib
import os
import sys
import warnings
from typing import Any, cast

import click

from holdfast.core.errors import BudgetError, HoldfastError, InputError
from holdfast.core.wording import shorten
from holdfast.simulator.cli.streams import finish, is_of_output, open_closed_streams, output_failed

#: Subcommand -> (module of its click command, which has its name; one line of help).
COMMANDS: dict[str, tuple[str, str]] = {
    "quickstart": ("studies.quickstart", "Run the whole loop, on the embedded or a small real model."),
    "run": ("studies.run", "Simulate and measure what a study asks for."),
    "plan": ("studies.plan", "Say what a study will take before it is run."),
    "train": ("studies.run", "Write steered dialogues and train expert adapters."),
    "report": ("studies.run", "Make results.json and report.html from a journal."),
    "compare": ("studies.compare", "Compare two runs, on the people that both have."),
    "label": ("studies.label", "Label replies of a run, so that figures rest on people."),
    "status": ("studies.status", "Say how a run stands, also while it runs."),
    "export": ("studies.export", "Write transcripts to Parquet, JSON lines or datasets."),
    "power": ("studies.plan", "Say how many personas a difference needs."),
    "measure": ("logs.measure", "Measure conversations that you have already."),
    "realism": ("studies.realism", "Say how far simulated users are from people."),
    "convert": ("logs.convert", "Write conversations in another format."),
    "serve-hint": ("studies.serve_hint", "Say how to serve a run's adapters."),
    "persona": ("personas.commands", "List, show, check and talk with personas."),
    "chat": ("personas.chat", "Talk with a candidate, or reply to a persona."),
    "task": ("personas.world_commands", "List, show and check tasks, also your own."),
    "pattern": ("personas.world_commands", "List, show and check empathy patterns."),
    "study": ("studies.files", "Begin, check and show study files."),
    "validate": ("raters.validate", "Hold a rater against human labels."),
    "rater": ("raters.commands", "Refit the rater of expressed empathy."),
    "judge": ("raters.judge", "Rate replies in conversations that you have."),
    "models": ("models.commands", "List the models that run here; fetch them."),
    "plugins": ("plugins", "List what other packages bring."),
    "micro": ("micro.commands", "Rebuild or describe the embedded base model."),
}

#: What the system says to a text that is no path on it.
_NO_PATH = frozenset((errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL))

EPILOG = """\b
Examples:
  holdfast quickstart --out runs/quickstart
  holdfast persona show jun_park
  holdfast run examples/stress_test/study.yaml --out runs/stress

Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 stopped by a budget, 130 interrupted."""


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"holdfast.simulator.cli.{COMMANDS[cmd_name][0]}")
        return cast(click.Command, getattr(module, cmd_name.replace("-", "_")))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from holdfast.core.wording import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f"No such command '{args[0]}'.{hint} See 'holdfast --help'.", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="holdfast", prog_name="holdfast")
def cli() -> None:
    """Does an assistant's empathy hold?

    Simulated people talk with candidate assistants over many turns; holdfast trains empathetic expert adapters and
    measures how each candidate's empathy holds or decays as the conversation lengthens.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is fetched unless the user says so
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin starve each other on a busy machine
    warnings.showwarning = _show_warning
    open_closed_streams()
    sys.exit(finish(run_command(sys.argv[1:] if arguments is None else arguments)))


def _show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    """Show a warning as people read it, without the line of code that gave it."""
    _tell(f"warning: {message}")


def _tell(text: str) -> None:
    from holdfast.simulator.cli.console import print_lines

    print_lines(text.encode(errors="backslashreplace").decode(), stderr=True)  # names of files may be no text


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code; expected failures are one clear message on stderr."""
    streams = sys.stdout, sys.stderr
    try:
        result: Any = cli.main(arguments, prog_name="holdfast", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except HoldfastError as error:
        _tell(f"{error}" if getattr(error, "faults", ()) else f"error: {error}")
        return 2 if isinstance(error, InputError) else 3 if isinstance(error, BudgetError) else 1
    except SystemExit:  # click's way to end where nobody reads its output: it has put other streams in the places
        if (sys.stdout, sys.stderr) == streams:
            raise
        sys.stdout, sys.stderr = streams
        return output_failed(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))
    except OSError as error:
        if is_of_output(error):
            return output_failed(error)
        result = _told_of_file(error)
    return result if isinstance(result, int) else 0


def _told_of_file(error: OSError) -> int:
    """Say which file the system refused; return the exit code. Raises the error where it names none."""
    if not isinstance(error.filename, str | bytes | os.PathLike):
        raise error
    _tell(f"error: {shorten(os.fsdecode(error.filename), 200)}: {error.strerror}; check the path")
    return 2 if error.errno in _NO_PATH else 1
