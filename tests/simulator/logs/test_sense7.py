"""SENSE-7's workbook, made here with openpyxl under its published column names."""

from __future__ import annotations

import openpyxl
import pytest

from holdfast.core.errors import InputError
from holdfast.simulator.logs.formats import workbook
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.sources import open_sources
from tests.simulator.logs.conftest import read

TASKS = ["PID", "Model", "TaskId", "PreTaskChoice", "PreTaskImportance", "PreTaskDesiredEmpathy"]
TASKS += ["PostTaskEmpathy_Affective", "PostTaskEmpathy_Interest"]
MESSAGES = ["TaskId", "MessageId", "TimeOffsetSeconds", "Role", "Content", "Retry", "EmpathyOverall"]
MESSAGES += ["Affective", "Cognitive", "Response", "Prosocial", "Interest", "Contextual", "Relational", "Comment"]


def make(path, messages, tasks=(("P1", "gpt-4o", "T1", "burnout", 4, 3, 5, 2),), sheets=("Tasks", "Messages")):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, header, rows in zip(sheets, (TASKS, MESSAGES), (tasks, messages), strict=True):
        sheet = book.create_sheet(name)
        sheet.append(header)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def row(role, content, *marks, overall=None, task="T1"):
    return [task, 1, 0, role, content, 0, overall, *(marks or [None] * 7), None]


def test_ground_truth_is_the_mean_over_turns_of_the_mean_of_rated_dimensions(tmp_path):
    path = make(
        tmp_path / "s.xlsx",
        [
            row("user", "I cannot go on like this."),
            # very good = 5, good = 4, unknown is skipped: (5 + 4) / 2 = 4.5
            row("assistant", "I am sorry.", "very good", "good", *["unknown"] * 5, overall="good"),
            row("user", "Thanks."),
            # (1 + 2 + 3) / 3 = 2
            row("assistant", "Fine.", "Very poor", 2, "neutral", None, "", "unknown", "unknown"),
            row("user", "Bye."),
            row("assistant", "Bye.", *["unknown"] * 7),  # nobody rated it: not a turn of the mean
        ],
    )
    (one,), skips = read("sense7", path)
    assert skips == []
    assert one.labels["empathy"] == pytest.approx((4.5 + 2) / 2)
    assert one.labels == pytest.approx(
        {"empathy": 3.25, "desired": 5, "after_affective_understanding": 5, "after_interest": 2}
    )
    assert one.messages[1].labels == {"affective_understanding": 5, "cognitive_understanding": 4, "overall": 4}
    assert (one.speaker, one.columns) == ("P1", {"model": "gpt-4o", "task": "burnout"})


def test_measured_by_turn(tmp_path):
    rows = [row("user", "Hard."), row("assistant", "So sorry.", *[5] * 7)]
    rows += [row("user", "Hm."), row("assistant", "Make a list.", *["very poor"] * 6, "unknown")]
    results, _ = measure_files(open_sources([make(tmp_path / "s.xlsx", rows)]))
    perceived = results.groups["gpt-4o"].measures["perceived"].by_turn
    assert [(one.turn, one.mean) for one in perceived] == [(1, 5.0), (2, 1.0)]
    # holdfast's own word for the task: adherence to its pattern is measured without being asked for
    assert "adherence" in results.groups["gpt-4o"].measures


def test_what_cannot_be_used_has_its_place(tmp_path):
    rows = [row("user", "Hard."), row("error", "x"), row("assistant", "Yes.", "superb", *[9] * 6)]
    rows += [row("user", "?", task=None), row("user", "Hi.", task="T2"), row("assistant", "Hi.", task="T2")]
    rows += [row("user", "Hi.", task="T3"), row("assistant", "Hi.", task="T3")]
    conversations, skips = read("sense7", make(tmp_path / "s.xlsx", rows))
    assert [one.id for one in conversations] == ["T3"]  # T1 and T2 may have lost a message each
    reasons = {(one.place.rsplit(":", 1)[1], one.reason) for one in skips}
    assert ("5", "no conversation id") in reasons
    assert ("2", "left out: a row of it cannot be used") in reasons
    assert ("6", "left out: a row of it cannot be used") in reasons
    assert ("8", "task is not on the sheet Tasks") in reasons
    conversations, skips = read("sense7", make(tmp_path / "t.xlsx", rows[:3]))
    reasons = {(one.place.rsplit(":", 1)[1], one.reason) for one in skips}
    assert conversations == []
    assert ("3", "left out: role is not user, assistant or system") in reasons
    assert ("4", "label is not a number") in reasons
    assert ("4", "label is outside 1 to 5") in reasons


def test_broken_workbooks_say_so(tmp_path, monkeypatch):
    good = make(tmp_path / "s.xlsx", [row("user", "a"), row("assistant", "b")])
    reason = lambda path: read("sense7", path)[1][0].reason  # noqa: E731
    assert reason(make(tmp_path / "x.xlsx", [], sheets=("Tasks", "Other"))) == "sheet is absent"
    (tmp_path / "cut.xlsx").write_bytes(good.read_bytes()[:-200])
    assert reason(tmp_path / "cut.xlsx").startswith("not a readable xlsx workbook")
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1000)
    assert reason(good) == "unpacks to more than 1,000 bytes"
    with pytest.raises(InputError, match="no conversation could be read as sense7"):
        measure_files(open_sources([good]))


def test_a_formula_in_a_message_stays_text(tmp_path):
    from holdfast.simulator.logs.records import Conversation, LogMessage
    from holdfast.simulator.logs.registry import FORMATS

    said = (LogMessage("user", '=HYPERLINK("http://x")'), LogMessage("assistant", "\x00 no"))
    FORMATS["sense7"].writer.write([Conversation("c", "", said)], tmp_path / "s.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "s.xlsx")["Messages"]["D2"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x")', "s")
