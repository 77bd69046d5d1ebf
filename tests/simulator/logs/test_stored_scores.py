"""Scores that were given before stand for the replies that they were given for, and for no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.agents.raters.protocol import PERCEIVED
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.model import LogResults
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.sources import open_sources
from holdfast.simulator.logs.stored_scores import ABSENT, CHANGED, UNSCORED, read_stored
from tests.agents.raters.judge.judge_server import Answer, Asked, serve

KIND, GERMAN = "I am so sorry, that sounds hard.", "Das tut mir sehr leid, ich verstehe deine Sorgen und wünsche Kraft."
REPLIES = (KIND, "", GERMAN, "no " * 9, "What worries you the most?")


def write(path: Path, last: str = REPLIES[-1], first: int = 0) -> Path:
    """Three conversations of five turns each; conversation 1 ends with ``last``; they are numbered from ``first``."""
    talks = []
    for number in range(first, first + 3):
        replies = [*REPLIES[:-1], last if number == 1 else REPLIES[-1]]
        said = [m for reply in replies for m in (LogMessage("user", "I lost my job."), LogMessage("assistant", reply))]
        talks.append(Conversation(f"c{number}", "", tuple(said), f"p{number % 2}", {"model": "ab"[number % 2]}))
    writer = FORMATS["messages"].writer
    assert writer is not None
    writer.write(talks, path)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.jsonl")


@pytest.fixture
def judged(log: Path, tmp_path: Path) -> Path:
    """The scores of the shipped linear rater, as the command that judges writes them."""
    out = tmp_path / "judge.jsonl"
    assert run_command(["judge", str(log), "--model", "linear", "--out", str(out), "--quiet"]) == 0
    return out


def measured(log: Path, scores: Path) -> LogResults:
    return measure_files(open_sources([log]), raters=read_stored(scores), pattern="companion")[0]


def test_a_judge_s_scores_are_what_it_would_give_again(log: Path, judged: Path) -> None:
    again, _ = measure_files(open_sources([log]), pattern="companion")
    stored = measured(log, judged)
    assert stored.groups == again.groups
    assert stored.differences == again.differences
    assert (stored.rater, stored.rated_replies) == (again.rater, again.rated_replies)
    assert (stored.unrated_replies, stored.disqualified_replies) == (again.unrated_replies, again.disqualified_replies)
    assert (stored.skipped.total, stored.scores_read, stored.gate) == (0, {"linear": "judge.jsonl"}, None)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
def test_the_scores_that_measure_writes_are_read_again(log: Path, tmp_path: Path, ending: str) -> None:
    out, other = tmp_path / f"turns{ending}", tmp_path / f"again{ending}"
    command = ["measure", str(log), "--pattern", "companion", "--quiet"]
    felt = "{kind: linear, scale: perceived, name: felt}"
    assert run_command([*command, "--rater", "linear", "--rater", felt, "--scores-out", str(out)]) == 0
    stored = read_stored(out)
    assert [(name, each.scale.id) for name, each in stored.items()] == [("linear", "expressed"), ("felt", PERCEIVED.id)]
    assert run_command([*command, "--scores", str(out), "--scores-out", str(other)]) == 0
    assert other.read_bytes() == out.read_bytes()


def test_a_changed_reply_is_told_and_unrated(log: Path, judged: Path) -> None:
    results = measured(write(log, last="Make a list."), judged)
    (skip,) = results.skipped.by_reason
    assert (skip.kind, skip.reason, skip.n) == ("score", CHANGED, 1)
    assert skip.first[0].startswith(f"{judged}:8: {CHANGED} (conversation 'c1', turn 5)")
    assert results.unrated_replies[CHANGED] == 1


def test_what_was_said_before_a_reply_is_part_of_it(log: Path, judged: Path) -> None:
    log.write_text(log.read_text().replace("I lost my job.", "I lost my keys.", 1))
    results = measured(log, judged)
    assert results.unrated_replies[CHANGED] == 4  # all of the first conversation but the empty one
    assert [(skip.reason, skip.n) for skip in results.skipped.by_reason] == [(CHANGED, 4)]


def test_scores_of_no_reply_and_replies_without_a_score(log: Path, judged: Path) -> None:
    results = measured(write(log, first=1), judged)  # c1 to c3: c0 is gone, and c3 is new
    (skip,) = results.skipped.by_reason
    assert (skip.kind, skip.reason, skip.n) == ("score", ABSENT, 4)
    assert skip.first[0].startswith(f"{judged}:1: {ABSENT} (conversation 'c0', turn 1)")
    assert results.unrated_replies[UNSCORED] == 4
    assert results.disqualified_replies["empty"] == 3


def test_of_two_scores_of_one_turn_the_one_that_matches_counts(log: Path, judged: Path, tmp_path: Path) -> None:
    """The scores of two logs with the same ids, one after the other in one file: those of the other log are told."""
    other, out = write(tmp_path / "other.jsonl", last="Make a list."), tmp_path / "other-scores.jsonl"
    assert run_command(["judge", str(other), "--model", "linear", "--out", str(out), "--quiet"]) == 0
    judged.write_text(out.read_text() + judged.read_text())
    results = measured(log, judged)
    assert UNSCORED not in results.unrated_replies
    assert CHANGED not in results.unrated_replies
    (skip,) = results.skipped.by_reason
    assert (skip.reason, skip.n) == (CHANGED, 1)
    assert skip.first[0].startswith(f"{judged}:8: ")


def test_a_judge_on_a_server_is_asked_once(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its server refuses the third turn; what it gave makes the curves, with or without a rater beside it."""

    def script(asked: Asked) -> Answer | str:
        return Answer("no", status=400) if len(asked.conversation) == 5 else asked.valid(1)

    out = tmp_path / "judge.jsonl"
    with serve(script) as server:
        model = f'{{kind: judge, name: strict, model: "openai:m", base_url: "{server.url}"}}'
        assert run_command(["judge", str(log), "--model", model, "--out", str(out), "--quiet"]) == 0
    assert run_command(["measure", str(log), "--scores", str(out), "--rater", "linear", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert (results["rater"]["name"], list(results["witnesses"])) == ("strict", ["linear"])
    assert results["unrated_replies"] == {"server: status 400": 3}
    assert results["groups"]["a"]["measures"]["expressed"]["mean"]["mean"] == 1
    assert run_command(["measure", str(log), "--scores", str(out), "--methods"]) == 0
    assert "The scores by strict were given before, and read from judge.jsonl." in capsys.readouterr().out


def test_stored_scores_of_another_scale_stand_beside_the_linear_rater(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "felt.jsonl"
    felt = "{kind: linear, scale: perceived, name: felt}"
    assert run_command(["judge", str(log), "--model", felt, "--out", str(out), "--quiet"]) == 0
    turns = tmp_path / "t.jsonl"
    assert run_command(["measure", str(log), "--scores", str(out), "--quiet", "--scores-out", str(turns)]) == 0
    assert list(json.loads(json.loads(turns.read_text().splitlines()[0])["raters"])) == ["linear", "felt"]


Edit = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda line: line.pop("turn"), r"judge.jsonl:1: is no row that holdfast judge --out or .* \(turn: Field req"),
        (lambda line: line.update(whole=True), "judge.jsonl:1: rates a whole conversation, and no reply; run holdfast"),
        (lambda line: line["scores"].update(exploration=7.0), "exploration is 7; on the scale expressed it is 0 to 2"),
        (
            lambda line: line["scores"].update(warmth=1.0),
            "'emotional_reaction' and the other dimensions are of none of",
        ),
        (lambda line: line["scores"].update(exploration=float("nan")), "is no row that|exploration is no number"),
        (lambda line: line["rater"].update(version="0"), "'linear' is another rater here than at .*judge.jsonl:1"),
    ],
)
def test_a_bad_row_is_one_clear_error(judged: Path, edit: Edit, said: str) -> None:
    first, *rest = judged.read_text().splitlines()
    line = json.loads(first)
    edit(line)
    judged.write_text("\n".join([json.dumps(line), *rest]))
    with pytest.raises(InputError, match=said):
        read_stored(judged)


def test_files_that_cannot_be_used(log: Path, judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = judged.read_text()
    twice = json.loads(text.splitlines()[0])
    twice["scores"]["exploration"] = 0.5
    for name, content, message in (
        ("torn.jsonl", text[:-30], "a judge that was interrupted goes on with --resume"),
        ("twice.jsonl", f"{text}{json.dumps(twice)}\n", f"has another score at {tmp_path / 'twice.jsonl'}:1; keep one"),
        ("other.csv", "conversation,turn\nc0,1\n", "is no row that holdfast judge --out"),
        ("raters.csv", "raters\n[1]\n", "is no row that holdfast judge --out"),
    ):
        (tmp_path / name).write_text(content)
        assert run_command(["measure", str(log), "--scores", str(tmp_path / name)]) == 2
        assert message in capsys.readouterr().err
    for arguments, message in (
        (["--scores", str(tmp_path / "nowhere.jsonl")], "no such file"),
        (["--scores", str(judged), "--rater", "linear"], "holds the scores of 'linear'; leave it out of --rater"),
        (["--scores", str(judged), "--scores", str(judged)], "both hold scores by 'linear'"),
    ):
        assert run_command(["measure", str(log), *arguments]) == 2
        assert message in capsys.readouterr().err
