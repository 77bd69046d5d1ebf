"""Print a conversation as it goes: in colour in a terminal, with ``user:`` and ``assistant:`` in a pipe.

A model's text is untrusted: markup in it is not parsed, and control characters are written out.
"""

from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.agents.users.appraisal import overall
from holdfast.core.text import visible
from holdfast.simulator.records import TurnRecord

STYLES = {"user": "bold cyan", "assistant": "bold green", "": "dim"}


@dataclass(frozen=True, slots=True)
class ConversationPrinter:
    """Prints turns as they finish. ``small_print``: also what the user made of each."""

    console: Console
    small_print: bool = True

    def turn(self, record: TurnRecord) -> None:
        """Print the user's message, the reply, and what the user made of it."""
        self.line("user", record.user)
        why = record.primary.missing or record.primary.evidence or "no reply"
        self.line("assistant", record.reply if record.reply.strip() else f"({why})")
        if self.small_print:
            self.line("", felt_line(record))
            if left := left_because(record):
                self.line("", f"leaves: {left}")

    def line(self, who: str, text: str) -> None:
        """Print one message; ``who`` is "user", "assistant" or "" (small print)."""
        if not self.console.is_terminal:
            label = f"{who}: " if who else "  "
            # further lines are indented, so that none looks like another speaker's
            click.echo(label + visible(text).replace("\n", "\n    "), file=self.console.file)
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=max(map(len, STYLES)), justify="right", no_wrap=True)
        grid.add_column()
        grid.add_row(Text(who, STYLES[who]), Text(visible(text), "" if who else STYLES[who]))
        self.console.print(grid)


def felt_line(record: TurnRecord) -> str:
    """Return a line such as "emotion 43 of 100 (+3), appraisal 2.8 of 5 (hoped for 3)"."""
    change, desired = record.state["momentum"], record.state["desired"]
    return (
        f"emotion {record.emotion:.0f} of 100 ({round(change):+d}), "
        f"appraisal {overall(record.felt):.1f} of 5 (hoped for {desired:g})"
    )


def left_because(record: TurnRecord) -> str | None:
    """Return why the conversation ended before its planned length; None where it did not."""
    return None if record.stop in {None, "max turns"} else record.stop
