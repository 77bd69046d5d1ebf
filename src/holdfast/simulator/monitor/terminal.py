"""The live view of a run, for terminals: a bar, what the models count, and adherence so far."""

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from holdfast.simulator.monitor.progress import RunFigures


class _View(Bar):
    """The bar with lines of text below it."""

    lines: tuple[str, ...] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        for line in self.lines:
            yield Text(line, style="dim", overflow="ellipsis", no_wrap=True)


class RichProgress(RunFigures):
    """A bar in a terminal, with figures below it that change as turns come in."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._bar = _View(TextColumn("conversations"), BarColumn(), TextColumn("{task.fields[line]}"), console=console)
        self._task = self._bar.add_task("", line="", total=None)

    def start(self, total: int, done: int) -> None:
        super().start(total, done)
        self._bar.start()
        self._show()

    def advance(self, turns: int = 1) -> None:
        super().advance(turns)
        self._show()

    def drop(self, turns: int) -> None:
        super().drop(turns)
        self._show()

    def note(self, text: str) -> None:
        self._bar.console.print(text, markup=False)

    def finish(self) -> None:
        self._show()
        self._bar.stop()

    def _show(self) -> None:
        self._bar.lines = tuple(line for line in (self.counted, self.means.words()) if line)
        self._bar.update(self._task, completed=self.speed.done, total=self.speed.total, line=self.speed.line())
