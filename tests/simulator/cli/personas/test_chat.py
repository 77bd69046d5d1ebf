"""``holdfast chat``: a person at the keyboard in either place; each turn in a log that ``measure`` reads."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.cli.personas.chat import rated_line
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.sources import open_sources


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Say lines to ``holdfast chat``: (exit code, what is printed, what the log holds)."""

    def say(lines: str, *arguments: object) -> tuple[int, str, dict]:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        log = tmp_path / "log.jsonl"
        log.unlink(missing_ok=True)
        code = run_command(["chat", *map(str, arguments), "--log", str(log)])
        told = capsys.readouterr()
        kept = json.loads(log.read_text(encoding="utf-8")) if log.exists() else {}
        return code, told.out if code == 0 else told.err, kept

    return say


def test_a_person_talks_with_a_candidate(chat, tmp_path: Path) -> None:
    code, out, kept = chat("I feel sad about my job.\nIt is my boss.\n\nnever read\n", "--candidate", "system_prompt")
    assert code == 0
    lines = out.splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["assistant", "linear", "assistant", "linear"]
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"] * 2
    assert kept["messages"][2]["content"] == "It is my boss."
    assert kept["metadata"]["candidate"] == "system_prompt"
    results, _ = measure_files(open_sources([tmp_path / "log.jsonl"]))
    assert results.turns == 2


def test_the_same_words_and_seed_get_the_same_replies(chat) -> None:
    first, again, other = (chat("I am tired.\n", "--seed", seed)[2] for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_person_replies_to_a_persona(chat) -> None:
    code, out, kept = chat("I am so sorry.\nThat sounds lonely.\n", "--as", "assistant", "--persona", "jun_park")
    assert code == 0
    assert out.startswith("user: ")
    assert "appraisal" in out
    assert kept["speaker"] == "jun_park"
    assert kept["metadata"]["candidate"] == "you"
    assert [message["content"] for message in kept["messages"][1::2]] == ["I am so sorry.", "That sounds lonely."]


def test_a_prompt_and_a_study_of_ones_own(chat, tmp_path: Path) -> None:
    prompt = tmp_path / "kind.txt"
    prompt.write_text("Be kind.", encoding="utf-8")
    assert chat("Hello.\n", "--prompt-file", prompt)[0] == 0
    study = tmp_path / "study.yaml"
    study.write_text("candidates: [base, {kind: system_prompt, prompt: Be brief., name: brief}]\n", encoding="utf-8")
    code, _, kept = chat("Hello.\n", study, "--candidate", "brief")
    assert (code, kept["metadata"]["candidate"]) == (0, "brief")
    code, told, _ = chat("Hello.\n", study, "--candidate", "breif")
    assert code == 2
    assert "no candidate 'breif'; did you mean 'brief'? (there are: base, brief, system_prompt" in told


def test_nothing_is_overwritten_and_nothing_said_leaves_nothing(chat, tmp_path: Path) -> None:
    assert chat("\n")[2] == {}
    log = tmp_path / "mine.jsonl"
    log.write_text("x", encoding="utf-8")
    assert run_command(["chat", "--log", str(log)]) == 2
    assert log.read_text(encoding="utf-8") == "x"


def test_a_line_of_ratings() -> None:
    ratings = {"linear": expressed(1, 0.26, 0), "judge": Rating(missing="no answer")}
    assert rated_line(ratings) == (
        "linear: emotional reaction 1.0, interpretation 0.3, exploration 0.0; judge: unrated (no answer)"
    )
