"""Reads a set of texts that experts, a crowd and two language models judged on the same dimensions.

Kumar et al. (2025), "When Large Language Models are Reliable for Judging Empathic Communication"; replication data in
``judging_empathic_communication``. Which set, and how its dimensions are called here, is told by a :class:`JudgedSet`.

EPITOME: one reply to one post of Reddit. The replies are not among the pairs that raters are fitted on
(``epitome_reddit``), but one post has a reply in each. The post that was answered stands for the person, so that reply
is left out of the report on a rater that saw the post.

Lend an Ear: conversations between a supporter and a troubled person, 50 in all. Each has its own supporter as far as
the data tell, so the conversation stands for the person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.epitome_pairs import POSTS
from holdfast.agents.raters.protocol import ACTS, EXPRESSED, Passage, Scale
from holdfast.core.errors import DataError
from holdfast.core.reading.tables import labelled_rows
from holdfast.simulator.measure.arrays import Floats, Ints

FOLDER = "judging_empathic_communication"
EXPERTS = ("expert1", "expert2", "expert3")
OTHERS = ("crowd", "gpt", "claude")
_SPEAKERS = {"Seeker:": "user", "Supporter:": "assistant"}
_TEXTS = ("dataset", "conversation_id", "full_conversation")
_ANNOTATIONS = ("dataset", "conversation_id", "dimension", "annotator", "score")


class NoTextError(DataError):
    """The files are there and hold no text of the set."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """One of the sets. ``dimensions``: the file's name -> the scale's; ``person``: who of the ``population`` a
    conversation's id stands for; ``whole``: it is judged as one, not its last reply."""

    dataset: str
    scale: Scale
    dimensions: Mapping[str, str]
    population: str
    person: Callable[[str], str]
    whole: bool


EPITOME = JudgedSet(
    dataset="epitome",
    scale=EXPRESSED,
    dimensions={f"level_{mechanism}s": mechanism for mechanism in EXPRESSED.dimensions},
    population=POSTS,
    person=lambda conversation: conversation.split("_")[0],
    whole=False,
)
LEND_AN_EAR = JudgedSet(
    dataset="lend_an_ear",
    scale=ACTS,
    dimensions={act: act for act in ACTS.dimensions},
    population="lend an ear",
    person=lambda conversation: conversation,
    whole=True,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """n texts. ``labelled``: with the median of the experts as labels; ``levels``: dimension -> annotator -> (n,), nan
    where that one gave none."""

    ids: tuple[str, ...]
    labelled: Labelled
    levels: Mapping[str, Mapping[str, Floats]]

    def rows(self, chosen: Ints) -> Judged:
        """The texts of these numbers only."""
        levels = {name: {who: level[chosen] for who, level in by.items()} for name, by in self.levels.items()}
        return Judged(tuple(self.ids[int(i)] for i in chosen), self.labelled.rows(chosen), levels)


def read_judged(data: Path, of: JudgedSet) -> Judged:
    """Read one set of ``data/judging_empathic_communication``. Raises :class:`DataError`: absent or malformed."""
    conversations, annotations = data / FOLDER / "conversations.csv", data / FOLDER / "annotations_long.csv"
    texts = {
        row["conversation_id"]: Passage(_messages(row["full_conversation"], place), of.whole)
        for place, row in labelled_rows(conversations, _TEXTS)
        if row["dataset"] == of.dataset
    }
    if not texts:
        raise NoTextError(f"{conversations}: holds no conversation of the data set {of.dataset!r}.")
    ids = tuple(sorted(texts))
    at = {name: index for index, name in enumerate(ids)}
    levels = {name: {who: np.full(len(ids), np.nan) for who in (*EXPERTS, *OTHERS)} for name in of.dimensions.values()}
    for place, row in labelled_rows(annotations, _ANNOTATIONS):
        if row["dataset"] != of.dataset:
            continue
        by = levels.get(of.dimensions.get(row["dimension"], ""))
        if by is not None and row["annotator"] in by and row["conversation_id"] in at:
            whole_levels = row["annotator"] != "crowd"
            by[row["annotator"]][at[row["conversation_id"]]] = _level(row["score"], of.scale, whole_levels, place)
    for name, by in levels.items():
        if np.isnan([by[expert] for expert in EXPERTS]).any():
            raise DataError(f"{annotations}: an expert's level of {name} is missing.")
    truth = [np.median([by[expert] for expert in EXPERTS], axis=0) for by in levels.values()]
    labelled = Labelled(
        id=of.dataset,
        scale=of.scale,
        passages=tuple(texts[name] for name in ids),
        people=tuple(of.person(name) for name in ids),
        dimensions=tuple(levels),
        labels=np.stack(truth, axis=1),
        population=of.population,
    )
    return Judged(ids, labelled, levels)


def _messages(text: str, place: str) -> tuple[Message, ...]:
    """Lines that open with a speaker's mark; a line without one goes on with what was said. Nothing after the last
    reply: people judged the supporter."""
    said: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        mark = next((speaker for speaker in _SPEAKERS if line.strip().startswith(speaker)), None)
        if mark is not None:
            said.append((_SPEAKERS[mark], [line.strip().removeprefix(mark).strip()]))
        elif said:
            said[-1][1].append(line)
    while said and said[-1][0] != "assistant":
        said.pop()
    if not said:
        raise DataError(f"{place}: the conversation has no 'Supporter:'.")
    return tuple(Message("user" if role == "user" else "assistant", "\n".join(lines).strip()) for role, lines in said)


def _level(score: str, scale: Scale, whole: bool, place: str) -> float:
    try:
        level = float(score) if score else float("nan")
    except ValueError:
        level = float("inf")
    if not np.isnan(level) and (not scale.low <= level <= scale.high or (whole and level != int(level))):
        allowed = ", ".join(str(number) for number in range(int(scale.low), int(scale.high) + 1))
        raise DataError(f"{place}: the level is {score!r}; allowed: {allowed}.")
    return level
