"""The next message from the keyboard: a line that can be edited in a terminal, a line as it stands from a pipe."""

import io
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from holdfast.core.wording import did_you_mean

COMMANDS = {"/help": "what may be typed", "/quit": "end the talk, as Ctrl-D and Ctrl-C do"}
_PROMPT = "you".rjust(len("assistant")) + "  "  # as ConversationPrinter sets the others' names


def next_message() -> str | None:
    """Return the next message; None where the person ends the talk.

    Empty lines are passed over. A line that is one word behind a slash is a command and never sent: what is none is
    told. What is no text stands as U+FFFD.
    """
    while (line := _read()) is not None:
        text = line.strip()
        if text == "/quit":
            return None
        if re.fullmatch(r"/\w*", text) is None:
            if text:
                return text
        elif text == "/help":
            click.echo("".join(f"  {name}  {what}\n" for name, what in COMMANDS.items()), err=True, nl=False)
        else:
            there_are = ", ".join(COMMANDS)
            click.echo(f"no command {text}{did_you_mean(text, COMMANDS)} (there are: {there_are}); not sent", err=True)
    return None


def at_keyboard() -> bool:
    """Return whether a person types and sees the answers in the same terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _read() -> str | None:
    line = None
    try:
        with _interruptible():
            line = _edited() if at_keyboard() else _plain()
    finally:
        if line is None and sys.stdin.isatty():
            click.echo(err=True)  # what is told next begins a line of its own
    return line


def _plain() -> str | None:
    if sys.stdin.isatty():
        sys.stderr.write(_PROMPT)
        sys.stderr.flush()
    return sys.stdin.buffer.readline().decode(sys.stdin.encoding or "utf-8", "replace") or None


def _edited() -> str | None:
    """Read a line with arrows, history and no limit of length, which a terminal by itself does not offer."""
    with suppress(ImportError):  # not every system has it
        import readline  # noqa: F401  # input() uses it once it is there
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    try:
        return input(_PROMPT)
    except EOFError:
        return None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end what waits in here at once; asyncio's own handler would first wait for the line to end."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
