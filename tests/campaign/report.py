"""Holding the tries of many kinds, and the table of what came of them."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tests.campaign.tries import Kind, Outcome, attempt

AT_ONCE = 100  # inputs of one fuzzing try
Outcomes = dict[str, list[Outcome]]


def shares(kinds: Mapping[str, Kind], tries: int) -> dict[str, int]:
    """How many tries each kind gets, by its weight; at least one each, and ``tries`` or a few more together."""
    plain = {name: kind.weight for name, kind in kinds.items() if not kind.fuzz}
    total = sum(plain.values()) or 1.0
    return {name: max(1, -(-int(100 * tries * weight / total) // 100)) for name, weight in plain.items()}


def campaign(
    kinds: Mapping[str, Kind], *, seed: int, tries: int, fuzz: int, number: int | None, show: Callable[[str], object]
) -> Outcomes:
    """Hold the tries of all kinds, one after the other; shows each fault when it is met, each kind when it is done."""
    share, outcomes = shares(kinds, tries), Outcomes()
    for name, kind in kinds.items():
        sizes = [AT_ONCE] * -(-fuzz // AT_ONCE) if kind.fuzz else [1] * share[name]
        numbers = range(len(sizes)) if number is None else [number]
        outcomes[name] = []
        for each in numbers:
            outcome = attempt(name, kind, seed, each, AT_ONCE if kind.fuzz else 1)
            outcomes[name].append(outcome)
            if outcome.verdict != "as expected":
                show(f"--- {name}, seed {seed}, try {each}: {outcome.verdict}\n{outcome.details}")
        show(f"{kind.number} {name}: {len(outcomes[name])} tries, {told(outcomes[name])} (peak {peak_kb() >> 10} MB)")
    return outcomes


def peak_kb() -> int:
    """The most memory that this process has held so far, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def told(outcomes: Sequence[Outcome]) -> str:
    """The outcomes in words, the commonest first."""
    words = Counter(outcome.words for outcome in outcomes)
    return ", ".join(f"{text} {times}" for text, times in words.most_common(12))


def print_table(kinds: Mapping[str, Kind], outcomes: Outcomes) -> int:
    """Print kind, tries and outcomes; returns how many tries met a fault."""
    table = Table("kind", "tries", "faults", "outcomes")
    faults = 0
    for name, each in outcomes.items():
        own = sum(outcome.verdict != "as expected" for outcome in each)
        faults += own
        table.add_row(f"{kinds[name].number} {kinds[name].title} ({name})", str(len(each)), str(own), told(each))
    Console(width=160).print(table)
    return faults
