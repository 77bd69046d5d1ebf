"""``holdfast rater compare`` from end to end: a judge that prefers the first listed is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.adapters.dialogues.preferences import read_preference_pairs
from holdfast.core.jsonl import write_lines
from holdfast.simulator.cli.main import run_command
from tests.adapters.dialogues.test_preferences import pair
from tests.agents.raters.judge.judge_server import Answer, Asked, Script, serve


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    write_lines([pair("ana"), pair("ben", "ok .", "i am so very sorry ."), pair("eva")], path)
    return path


def run(script: Script, pairs: Path, *options: str) -> int:
    with serve(script) as server:
        return run_command(["rater", "compare", str(pairs), "--model", "openai:x", "--base-url", server.url, *options])


def warm(asked: Asked) -> str:
    better = 1 if "sorry" in asked.conversation[1]["text"] else 2
    return json.dumps({"id": asked.mark, "better": better})


def test_an_honest_judge(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(warm, pairs, "--json", "--out", str(tmp_path / "judged.jsonl")) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["preferences"] == {"chosen": 2, "rejected": 1, "neither": 0, "depends_on_order": 0, "missing": 0}
    assert summary["agrees_with_file"] == {"share": pytest.approx(2 / 3), "n": 3}
    assert summary["position"] == {"consistent": 1, "first_listed": 0.5, "n": 3, "missing": 0}
    judged = read_preference_pairs(tmp_path / "judged.jsonl")
    assert [one.chosen[0].content for one in judged] == ["i am so sorry .", "i am so very sorry .", "i am so sorry ."]
    assert judged[0].source.startswith("pairwise:openai:x ")


def test_a_judge_of_this_process(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded model was never taught to compare: with a schema it answers in form, without one not at all."""
    command = ["rater", "compare", str(pairs), "--model", "micro", "--json"]
    assert run_command(command) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["judge"]["id"] == "pairwise:micro"
    assert (summary["judge"]["version"], summary["preferences"]["missing"], summary["refused_answers"]) == ("2", 0, {})
    assert run_command([*command, "--no-schema"]) == 0
    free = json.loads(capsys.readouterr().out)
    assert (free["judge"]["version"], free["preferences"]["missing"]) == ("1", 3)
    assert sum(free["refused_answers"].values()) == 6
    assert "server" not in free["refused_answers"]


def test_a_judge_that_prefers_what_is_listed_first(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda asked: json.dumps({"id": asked.mark, "better": 1}), pairs) == 0
    said = capsys.readouterr()
    assert "same answer in both orders: 0 %; answers for the one listed first: 100 % (no bias: 50 %)" in said.out
    assert "agrees with the file: - of 0 decided pairs" in said.out
    assert "comparing replies: 3/3" in said.err


def test_nonsense_and_a_dead_server(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda _: "The first!", pairs) == 0
    assert "refused (no_json): 6 answers" in capsys.readouterr().out
    assert run(lambda _: Answer("", status=401), pairs) == 1
    assert "answered none of 6 requests" in capsys.readouterr().err
