"""Which tasks, feelings, ways of speaking, languages and wishes a set of personas covers, and what nobody covers."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from holdfast.core.wording import either
from holdfast.personas.schema import Persona, Speech

STYLES: tuple[str, ...] = get_args(Speech)
LEVELS = (1, 2, 3)


@dataclass(frozen=True)
class PersonaCoverage:
    """Counts of people. ``cells``: by task, way of speaking, language and desired empathy; ``feelings``: by task and
    feeling."""

    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    cells: Mapping[tuple[str, str, str, int], int]
    feelings: Mapping[tuple[str, str], int]

    @property
    def people(self) -> int:
        """How many there are."""
        return sum(self.cells.values())

    def count(self, task: str | None = None, **wanted: object) -> int:
        """Return how many people have a task, and what is ``wanted`` of ``speech``, ``language``, ``desired``."""
        names = ("task", "speech", "language", "desired")
        asked = {name: value for name, value in {"task": task, **wanted}.items() if value is not None}
        return sum(
            count
            for cell, count in self.cells.items()
            if all(dict(zip(names, cell, strict=True))[name] == value for name, value in asked.items())
        )

    def felt(self, task: str | None = None) -> dict[str, int]:
        """Return how many people have each feeling, of one task or of all; the most frequent first."""
        counts: Counter[str] = Counter()
        for (of_task, feeling), count in self.feelings.items():
            if task in {None, of_task}:
                counts[feeling] += count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def holes(self) -> Iterator[str]:
        """Yield what nobody covers, a line each: languages, tasks, and within tasks ways of speaking and wishes."""
        if silent := [each for each in self.languages if not self.count(language=each)]:
            yield f"nobody speaks {either(silent)}"
        if empty := [task for task in self.tasks if not self.count(task)]:
            yield f"nobody comes for {either(empty)}"
        for task in self.tasks:
            if task in empty:
                continue
            styles = [style for style in STYLES if not self.count(task, speech=style)]
            levels = [level for level in LEVELS if not self.count(task, desired=level)]
            lacking = [f"speaks {either(styles)}"] if styles else []
            lacking += [f"desires {either(levels)} of 3"] if levels else []
            if lacking:
                yield f"{task}: nobody {', nobody '.join(lacking)}"

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        keys = ("task", "speech", "language", "desired_empathy")
        return {
            "people": self.people,
            "cells": [{**dict(zip(keys, cell, strict=True)), "people": n} for cell, n in sorted(self.cells.items())],
            "feelings": [
                {"task": task, "feeling": feeling, "people": n} for (task, feeling), n in sorted(self.feelings.items())
            ],
            "holes": list(self.holes()),
        }


def coverage_of(people: Iterable[Persona], tasks: Collection[str], languages: Collection[str]) -> PersonaCoverage:
    """Return what ``people`` cover of ``tasks`` and ``languages``; theirs count too where these lack them."""
    everyone = list(people)
    return PersonaCoverage(
        tuple(dict.fromkeys((*sorted(tasks), *(each.task for each in everyone)))),
        tuple(dict.fromkeys((*sorted(languages), *(each.language for each in everyone)))),
        Counter((each.task, each.speech, each.language, each.desired_empathy) for each in everyone),
        Counter((each.task, feeling) for each in everyone for feeling in dict.fromkeys(each.feelings)),
    )
