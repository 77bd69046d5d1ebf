"""SENSE-7 (Suh et al. 2025, arXiv 2509.16437): a workbook with two sheets, Tasks and Messages.

Each assistant turn is rated "very poor" to "very good" (or 1-5) on seven dimensions; "unknown" is no rating. The
ground truth of a conversation, label ``empathy``, is the mean over assistant turns of the mean of the rated dimensions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from holdfast.agents.protocols import SENSE7
from holdfast.core.reading.skips import BrokenRow, SkippedLine
from holdfast.core.reading.tables import Row
from holdfast.core.wording import describe_value
from holdfast.simulator.logs.drafts import NOT_A_ROLE, ConversationDraft
from holdfast.simulator.logs.formats.workbook import CellNames, read_sheets, written_workbook
from holdfast.simulator.logs.gathering import Grouping, gather
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import columns_of, id_of, label_of, role_of
from holdfast.simulator.logs.writing import count_left_out

SHORT = ("Affective", "Cognitive", "Response", "Prosocial", "Interest", "Contextual", "Relational")
DIMENSIONS = dict(zip(SHORT, SENSE7, strict=True))
WORDS = {"very poor": 1.0, "poor": 2.0, "neutral": 3.0, "good": 4.0, "very good": 5.0}
DESIRED = {1.0: 1.0, 2.0: 3.0, 3.0: 5.0}  # 1-3 on the perceived scale: holdfast's assumption
OVERALL = "overall"
_ID = "TaskId"
_AFTER = "PostTaskEmpathy_"
TASKS = ("PID", "Model", "TaskId", "PreTaskChoice", "PreTaskDesiredEmpathy")
MESSAGES = ("TaskId", "MessageId", "Role", "Content", "EmpathyOverall", *SHORT)
Faults = list[tuple[str, str]]
Cells = Mapping[str, Any]


def recognises(file: Glimpse) -> bool:
    """Whether the file is a workbook."""
    return file.content == "archive" and "xlsx" in file.values


@dataclass(frozen=True, slots=True)
class Sense7Reader:
    """Reads SENSE-7's workbook."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        skips: list[SkippedLine] = []
        sheets = read_sheets(path, {"Tasks": ("TaskId",), "Messages": ("TaskId", "Role", "Content")}, skips)
        cut = [skip for skip in skips if "the rest was not read" in skip.reason]
        yield from (skip for skip in skips if skip not in cut)
        tasks = {task: cells for _, cells in sheets["Tasks"] if (task := _task(cells))}
        rows: list[Row | BrokenRow] = [(place, {**cells, _ID: _task(cells)}) for place, cells in sheets["Messages"]]
        rows += map(BrokenRow, cut)  # which damages the last one
        for run in gather(lambda: rows, Grouping((_ID,), always=True)):
            if isinstance(run, SkippedLine):
                yield run
                continue
            (task,), own = run
            if task not in tasks:
                said = "no model, no person, no ratings after"
                yield SkippedLine(own[0][0], "label", "task is not on the sheet Tasks", said)
            yield from _conversation(task, own, tasks.get(task, {}))


def rating(value: object, name: str, faults: Faults) -> float | None:
    """Return 1-5 from a word or a number; None for "unknown" and for nothing."""
    if isinstance(value, str):
        word = " ".join(value.lower().replace("_", " ").split())
        if word in ("", "unknown", "nan", "n/a", "none"):
            return None
        if word in WORDS:
            return WORDS[word]
    return label_of(name, value, faults)


def _task(cells: Cells) -> str:
    """Return the task's id as text: Excel has no whole numbers, so 7.0 is 7."""
    value = cells.get(_ID)
    return id_of(int(value) if isinstance(value, float) and value == int(value) else value)


def _conversation(task: str, rows: list[Row], about: Cells) -> Iterator[Conversation | SkippedLine]:
    draft = ConversationDraft(rows[0][0])
    turn_means = []
    for place, cells in rows:
        word = cells.get("Role")
        role = role_of(word)
        if role is None:
            draft.lose(place, NOT_A_ROLE, describe_value(word))
            continue
        faults: Faults = []
        ratings = {name: rating(cells.get(column), name, faults) for column, name in DIMENSIONS.items()}
        labels = {name: value for name, value in ratings.items() if value is not None}
        if labels and role == "assistant":
            turn_means.append(fmean(labels.values()))
        overall = rating(cells.get("EmpathyOverall"), OVERALL, faults)
        draft.fault(place, faults)
        content = _as_text(cells.get("Content"))
        draft.say(role, {"content": content}, place, labels=labels | ({} if overall is None else {OVERALL: overall}))
    faults = []
    after = {f"after_{name}": rating(about.get(_AFTER + column), name, faults) for column, name in DIMENSIONS.items()}
    desired = label_of("desired", about.get("PreTaskDesiredEmpathy"), faults)
    after["desired"] = DESIRED.get(desired) if desired is not None else None
    after["empathy"] = fmean(turn_means) if turn_means else None
    draft.fault(f"{rows[0][0]} (Tasks: {task})", faults)
    columns = columns_of({"model": about.get("Model"), "task": about.get("PreTaskChoice")})
    labels = {name: value for name, value in after.items() if value is not None}
    yield from draft.finish(task, speaker=id_of(about.get("PID")), columns=columns, labels=labels)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@dataclass(frozen=True, slots=True)
class Sense7Writer:
    """Writes both sheets. Ratings as numbers; a dimension without a rating is "unknown"."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        after = [f"after_{name}" for name in SENSE7]
        wanted = {level: code for code, level in DESIRED.items()}
        tasks, people = CellNames(), CellNames()
        with written_workbook(path, {"Tasks": (*TASKS, *(_AFTER + s for s in SHORT)), "Messages": MESSAGES}) as add:
            for conversation in conversations:
                rated = any(name in m.labels for m in conversation.messages for name in SENSE7)
                kept = [*after, "desired", *(["empathy"] if rated else [])]  # the ground truth follows from ratings
                count_left_out(conversation, left, labels=(*SENSE7, OVERALL), after=kept, columns=("model", "task"))
                task = tasks.of(conversation.id)
                about = [
                    people.of(conversation.speaker),
                    conversation.columns.get("model", ""),
                    task,
                    conversation.columns.get("task", ""),
                ]
                add(
                    "Tasks",
                    [*about, wanted.get(conversation.labels.get("desired", 0.0)), *map(conversation.labels.get, after)],
                )
                for number, m in enumerate(conversation.messages, start=1):
                    marks = [m.labels.get(name, "unknown") for name in (OVERALL, *SENSE7)]
                    add("Messages", [task, number, m.role, m.text, *(marks if m.role == "assistant" else [])])
        return left
