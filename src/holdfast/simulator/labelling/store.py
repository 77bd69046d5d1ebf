"""Labels in a run folder: the sample, and a file of JSON lines for each coder, which only ever grows.

``labels/sample.json`` holds the scale and the replies that are asked about; ``labels/CODER.jsonl`` an answer a line,
flushed as it is given, so that a session can stop anywhere. A later line of one reply replaces an earlier one; a line
without levels takes it back.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.agents.raters.protocol import EXPRESSED, Scale
from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError
from holdfast.core.files import link_outside, read_file
from holdfast.core.jsonl import read_lines
from holdfast.core.wording import first_line, quote
from holdfast.simulator.labelling.sample import Reply, SampledReply
from holdfast.simulator.row_files import row_file

LABELS = "labels"
SAMPLE = "sample.json"
#: One overall score of a reply as its hearer would feel it.
OVERALL = Scale("perceived_overall", ("overall",), 1, 5)
LABEL_SCALES: Mapping[str, Scale] = {"expressed": EXPRESSED, "perceived": OVERALL}
ScaleName = Literal["expressed", "perceived"]
_CODER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_PLACES = {
    "coder": ("string", "who answered"),
    "episode": ("string", "id of the conversation"),
    "turn": ("int64", "of the reply, from 1"),
}
_REPLY = {
    "inclusion": ("double", "the chance with which the reply was drawn; null where it was not"),
    "model": ("int64", "1 where the coder is a language model"),
}


def on_scale(scale: Scale, labelled: Scale) -> bool:
    """Whether levels on ``scale`` can be set against labels on ``labelled``."""
    same = (scale.dimensions, scale.low, scale.high) == (labelled.dimensions, labelled.low, labelled.high)
    return same and (scale.id == EXPRESSED.id or labelled != EXPRESSED)


def beside_targets(labelled: Scale, curves: Scale) -> str:
    """Return why labels on one scale say nothing of adherence where targets and curves are on another; "" if they do.

    Args:
        labelled: Of the labels.
        curves: Of the patterns and of the first rater.
    """
    if labelled == OVERALL:
        return "labels of one overall score stand beside no empathy pattern: no adherence is estimated from them"
    if on_scale(curves, labelled):
        return ""
    mechanisms, own = (", ".join(each.dimensions).replace("_", " ") for each in (labelled, curves))
    return (
        f"labels are of EPITOME's mechanisms ({mechanisms}), patterns and curves here are on the scale {curves.id} "
        f"({own}): labels are held against raters of those mechanisms, and no adherence is estimated from them"
    )


class LabelSample(BaseModel):
    """What a run's coders are asked about, in this order. Older ones hold replies that the gate stopped, too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: ScaleName
    seed: int
    replies: tuple[SampledReply, ...]
    candidates: tuple[str, ...] = ()  # whose replies are asked about; none named: all

    @property
    def rated(self) -> Scale:
        """The scale that labels are on."""
        return LABEL_SCALES[self.scale]

    @property
    def gated(self) -> bool:
        """Whether labels of what the gate stopped say nothing: those for adherence, which is 0 there."""
        return self.rated == EXPRESSED


class Label(BaseModel):
    """A coder's answer; ``levels`` empty: taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    episode: str
    turn: Annotated[int, Field(ge=1)]
    levels: dict[str, int]
    model: Annotated[bool, Field(description="Whether a language model answered, and not a person.")] = False

    @property
    def reply(self) -> Reply:
        """Which reply it is about."""
        return self.episode, self.turn


class LabelFolder:
    """The labels of the run in ``run``."""

    def __init__(self, run: Path) -> None:
        self.run, self.folder = run, run / LABELS

    def sample(self) -> LabelSample | None:
        """Return what is asked about; None where nothing was drawn yet.

        Raises:
            InputError: The file is damaged.
        """
        path = self.folder / SAMPLE
        if not os.path.lexists(path):
            return None
        try:
            return LabelSample.model_validate_json(read_file(path))
        except (OSError, ValidationError) as error:
            raise InputError(f"{path}: cannot be read as a sample ({first_line(error)})") from None

    def keep_sample(self, sample: LabelSample) -> None:
        """Write what is asked about.

        Raises:
            InputError: The folder leads elsewhere by a link, or cannot be written.
        """
        self._check_place()
        try:
            with drafted(self.folder / SAMPLE) as draft:
                draft.write_text(sample.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{self.folder}: labels cannot be written ({error.strerror})") from error

    def coders(self) -> list[str]:
        """Return the names of those who have answered, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.jsonl") if _CODER.fullmatch(path.stem))

    def answers(self, coder: str) -> dict[Reply, Label]:
        """Return a coder's answers, each reply's last one, in the order in which they were first given.

        Raises:
            InputError: The file is damaged, or holds a level off the sample's scale.
        """
        path = self.path_of(coder)
        if not os.path.lexists(path) or not os.path.getsize(path):
            return {}
        kept: dict[Reply, Label] = {}
        scale = self._scale()
        for number, label in enumerate(read_lines(path, Label, "holds no label", 8), start=1):
            if fault := _fault(label, scale):
                raise InputError([Fault(str(path), fault, number)])
            if label.levels:
                kept[label.reply] = label
            else:
                kept.pop(label.reply, None)
        return kept

    def add(self, coder: str, label: Label) -> None:
        """Append an answer, and have it on the disk before this returns.

        Raises:
            InputError: It cannot be written, or its levels are not those of the sample's scale.
        """
        path = self.path_of(coder)
        if fault := _fault(label, self._scale()):
            raise InputError(f"{path}: {fault}")
        self._check_place()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(label.model_dump_json(exclude_defaults=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"{path}: the label cannot be written ({error.strerror})") from error

    def path_of(self, coder: str) -> Path:
        """Return a coder's file.

        Raises:
            InputError: The name is none: letters, digits, ``-`` and ``_``, at most 40.
        """
        if not _CODER.fullmatch(coder):
            raise InputError(f"{quote(coder)} is no coder's name: write letters, digits, - and _, at most 40")
        return self.folder / f"{coder}.jsonl"

    def _check_place(self) -> None:
        if link := link_outside(self.run, LABELS):
            raise InputError(f"{link}: is a link that leads out of the run folder; remove it")

    def _scale(self) -> Scale:
        sample = self.sample()
        return EXPRESSED if sample is None else sample.rated


def _fault(label: Label, scale: Scale) -> str:
    """Why an answer is none, "" where it is one."""
    if not label.levels:
        return ""
    if set(label.levels) != set(scale.dimensions):
        return f"levels of {', '.join(scale.dimensions)} are needed, each once"
    if odd := [name for name, level in label.levels.items() if not scale.low <= level <= scale.high]:
        return f"{odd[0]}: {label.levels[odd[0]]} is not between {scale.low:g} and {scale.high:g}"
    return ""


def write_labels(folder: LabelFolder, path: Path) -> int:
    """Write all answers of all coders, a row each, in the format of the file's ending; returns how many there are.

    Raises:
        InputError: nothing was drawn yet, or the file cannot be written.
    """
    sample = folder.sample()
    if sample is None:
        raise InputError(f"{folder.folder}: nothing was drawn yet; begin with holdfast label {folder.run}")
    chance = {each.reply: each.inclusion for each in sample.replies}
    rated = sample.rated
    levels = dict.fromkeys(rated.dimensions, ("int64", f"{rated.id}, {rated.low:g}-{rated.high:g}"))
    rows = [
        {"coder": coder, "episode": label.episode, "turn": label.turn, "model": int(label.model)}
        | {name: label.levels[name] for name in rated.dimensions}
        | {"inclusion": chance.get(label.reply)}
        for coder in folder.coders()
        for label in folder.answers(coder).values()
    ]
    with row_file(path, _PLACES | levels | _REPLY) as write:
        write(rows)
    return len(rows)


def labels_from_csv(folder: LabelFolder, path: Path, stopped: Collection[Reply] = ()) -> dict[str, list[Label]]:
    """Read a table that :func:`write_labels` could have written as CSV; returns coder -> answers, none kept yet.

    ``stopped``: replies that the gate stopped, which tables of older samples hold; they are read and say nothing.

    Raises:
        InputError: A column is missing, or a row is no label of a reply that the sample asks about.
    """
    sample = folder.sample()
    if sample is None:
        raise InputError(f"{folder.folder}: nothing was drawn yet; begin with holdfast label {folder.run}")
    asked = {each.reply for each in sample.replies}.union(stopped)
    try:
        rows = list(csv.DictReader(io.StringIO(read_file(path).decode("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from error
    absent = [name for name in (*_PLACES, *sample.rated.dimensions) if rows and name not in rows[0]]
    if absent or not rows:
        what = f"the column {quote(absent[0])}" if absent else "any row"
        raise InputError(f"{path}: lacks {what}; needed: {', '.join((*_PLACES, *sample.rated.dimensions))}")
    read: dict[str, list[Label]] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=2):
        try:
            folder.path_of(row["coder"])
            levels = {name: int(row[name]) for name in sample.rated.dimensions}
            label = Label(episode=row["episode"], turn=int(row["turn"]), levels=levels, model=row.get("model") == "1")
        except (InputError, ValidationError, ValueError, TypeError) as error:
            faults.append(Fault(str(path), f"is no label: {first_line(error)}", number))
            continue
        fault = _fault(label, sample.rated) or (
            "" if label.reply in asked else "is no reply that the sample asks about"
        )
        if fault:
            faults.append(Fault(str(path), fault, number))
        read.setdefault(row["coder"], []).append(label)
    if faults:
        raise InputError(faults[:8])
    return read


def last_answers(folder: LabelFolder) -> dict[str, dict[Reply, Label]]:
    """Return every coder's answers."""
    return {coder: folder.answers(coder) for coder in folder.coders()}


def combined(answers: Iterable[Mapping[Reply, Label]]) -> dict[Reply, dict[str, float]]:
    """Return each reply's levels, the mean over those who labelled it."""
    by_reply: dict[Reply, list[Label]] = {}
    for each in answers:
        for reply, label in each.items():
            by_reply.setdefault(reply, []).append(label)
    return {
        reply: {name: sum(label.levels[name] for label in labels) / len(labels) for name in labels[0].levels}
        for reply, labels in by_reply.items()
    }
