"""Which candidate gets which colour and line style, and which two the headline sets against each other."""

from dataclasses import dataclass

from holdfast.simulator.results.headline import choose
from holdfast.simulator.results.model import Results

COLOURS = 7  # slots 1-7 of the style sheet; slot 0 is the baseline's grey


@dataclass(frozen=True, slots=True)
class Series:
    """A candidate as a figure shows it. ``index`` is its place in the results, ``slot`` its colour and dash."""

    name: str
    index: int
    slot: int
    baseline: bool


@dataclass(frozen=True, slots=True)
class Palette:
    """All candidates of a study; ``best`` and ``rival`` are the two that the headline names, None where absent.

    ``best`` is the trained candidate where there is one, not necessarily the highest in every figure.
    """

    series: tuple[Series, ...]
    best: Series | None
    rival: Series | None

    def __getitem__(self, name: str) -> Series:
        """The series of this name."""
        return next(series for series in self.series if series.name == name)


def palette_of(results: Results) -> Palette:
    """Give every candidate its colour; the two that the headline names come first."""
    candidates, baseline = results.candidates, results.baseline
    if not candidates:
        return Palette((), None, None)
    best, rival = choose(candidates, baseline)
    ranked = list(dict.fromkeys(n for n in (best, rival, *candidates) if n is not None and n != baseline))
    slots = {name: 1 + i % COLOURS for i, name in enumerate(ranked)} | {baseline: 0}
    series = tuple(Series(n, i, slots[n], n == baseline) for i, n in enumerate(candidates))
    by_name = {s.name: s for s in series}
    return Palette(series, by_name[best], by_name[rival] if rival is not None else None)
