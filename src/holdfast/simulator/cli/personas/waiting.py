"""What a person sees while a reply is waited for: the seconds, and what the models would have one know."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import click

from holdfast.core.text import visible
from holdfast.simulator.monitor.notices import Notices

SILENT_S, LOOK_S = 2.0, 0.25
_CLEAR = "\r\x1b[K"


@dataclass
class Waiting:
    """Says on standard error for how long a reply is waited for, in a terminal, and each notice of the models once."""

    quiet: bool
    since: float | None = None
    _drawn: bool = False

    def begin(self) -> None:
        """From now on something is waited for."""
        self.since = time.monotonic()

    def end(self) -> None:
        """Take the line away: nothing is waited for."""
        self.since = None
        if self._drawn:
            click.echo(_CLEAR, err=True, nl=False)
            self._drawn = False

    @asynccontextmanager
    async def watching(self, notices: Callable[[], Mapping[str, str]]) -> AsyncIterator[None]:
        """Look at the time and at ``notices`` until the block ends."""
        watch = asyncio.create_task(self._watch(Notices(notices, self._tell)))
        try:
            yield
        finally:
            watch.cancel()
            self.end()

    async def _watch(self, notices: Notices) -> None:
        while not self.quiet:
            await asyncio.sleep(LOOK_S)
            notices.look()
            if self.since is None or not sys.stderr.isatty():
                continue
            waited = time.monotonic() - self.since
            if waited >= SILENT_S:
                click.echo(f"{_CLEAR}waiting for {waited:.0f} s (Ctrl-C ends the talk)", err=True, nl=False)
                self._drawn = True

    def _tell(self, text: str) -> None:
        since = self.since
        self.end()
        self.since = since
        click.echo(visible(text), err=True)
