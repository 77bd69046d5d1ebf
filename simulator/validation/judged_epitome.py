"""Reads the EPITOME replies that experts, a crowd and two language models judged.

Kumar et al. (2025), "When Large Language Models are Reliable for Judging Empathic Communication"; replication data in
``judging_empathic_communication``: levels 0-2 of the three mechanisms by each of three experts, the crowd, GPT and
Claude. These replies are not among the pairs that the linear rater is fitted on.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.protocols import Exchange
from personas.errors import DataError
from personas.schema import MECHANISMS, Mechanism
from simulator.measure.arrays import Floats

FOLDER = "judging_empathic_communication"
EXPERTS = ("expert1", "expert2", "expert3")
OTHERS = ("crowd", "gpt", "claude")
_SET = "epitome"
_DIMENSIONS: dict[str, Mechanism] = {f"level_{mechanism}s": mechanism for mechanism in MECHANISMS}
_SUPPORTER = "Supporter:"


@dataclass(frozen=True, slots=True)
class JudgedReplies:
    """n replies and their levels. ``levels``: mechanism -> annotator -> (n,), nan where that one gave none."""

    ids: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    levels: Mapping[Mechanism, Mapping[str, Floats]]


def read_judged_epitome(data: Path) -> JudgedReplies:
    """Read ``data/judging_empathic_communication``. Raises :class:`DataError` where it is absent or malformed."""
    folder = data / FOLDER
    texts = {row["conversation_id"]: _exchange(row, place) for row, place in _rows(folder / "conversations.csv")}
    if not texts:
        raise DataError(f"{folder / 'conversations.csv'}: holds no conversation of the data set {_SET!r}.")
    ids = tuple(sorted(texts))
    at = {one: index for index, one in enumerate(ids)}
    levels = {m: {who: np.full(len(ids), np.nan) for who in (*EXPERTS, *OTHERS)} for m in MECHANISMS}
    for row, place in _rows(folder / "annotations_long.csv"):
        mechanism = _DIMENSIONS.get(row["dimension"])
        if mechanism and row["annotator"] in levels[mechanism] and row["conversation_id"] in at:
            levels[mechanism][row["annotator"]][at[row["conversation_id"]]] = _level(row["score"], place)
    for mechanism, by in levels.items():
        if np.isnan([by[expert] for expert in EXPERTS]).any():
            raise DataError(f"{folder / 'annotations_long.csv'}: an expert's level of {mechanism} is missing.")
    return JudgedReplies(ids, tuple(texts[one] for one in ids), levels)


def _rows(path: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Rows of the EPITOME set with their place, ``file:line``."""
    expected = {
        "conversations.csv": ("dataset", "conversation_id", "full_conversation"),
        "annotations_long.csv": ("dataset", "conversation_id", "dimension", "annotator", "score"),
    }[path.name]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            absent = [column for column in expected if column not in (rows.fieldnames or ())]
            if absent:
                raise DataError(f"{path}:1: columns absent: {', '.join(absent)}. Expected: {', '.join(expected)}.")
            for row in rows:
                if None in row or None in row.values():
                    raise DataError(f"{path}:{rows.line_num}: the row has too few or too many columns.")
                if row["dataset"] == _SET:
                    yield row, f"{path}:{rows.line_num}"
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}). See --data and the data set's README.") from error


def _exchange(row: Mapping[str, str], place: str) -> Exchange:
    user, mark, reply = row["full_conversation"].partition(_SUPPORTER)
    if not mark:
        raise DataError(f"{place}: the conversation has no {_SUPPORTER!r}.")
    return Exchange(user.removeprefix("Seeker:").strip(), reply.strip())


def _level(score: str, place: str) -> float:
    if score not in {"0.0", "1.0", "2.0", "0", "1", "2", ""}:
        raise DataError(f"{place}: the level is {score!r}; allowed: 0, 1, 2.")
    return float(score) if score else float("nan")
