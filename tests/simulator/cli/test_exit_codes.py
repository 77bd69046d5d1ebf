"""What names something that is not there is bad input, whichever command is given it: one line, and exit code 2."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("validate linear --data nowhere", "nowhere (from --data): no such folder"),
        ("rater fit --quiet --data nowhere --out r", "nowhere (from --data): no such folder"),
        ("run study.yaml --out r --replay nowhere", "nowhere/journal.sqlite: there is no journal here"),
        ("run study.yaml --out r --replay empty", "empty/journal.sqlite: there is no journal here"),
        ("run study.yaml --out r --model hf:nowhere", "model folder nowhere does not exist"),
        ("run study.yaml --out r --model hf:empty", "empty is no model folder: it has no config.json"),
        ("run study.yaml --out r --model hf:no/such", "neither a folder nor in the Hugging Face cache"),
        ("export nowhere --out r", "nowhere/journal.sqlite: there is no journal here"),
        ("measure empty", "empty: is a folder without a log that can be read"),
        ("measure empty --format journal", "empty/journal.sqlite: there is no journal here"),
        ("measure logs --format journal", "logs/journal.sqlite: there is no journal here"),
        ("convert empty --format journal --to csv --out r", "empty/journal.sqlite: there is no journal here"),
        ("measure nothing.jsonl", "nothing.jsonl: is empty: there is no conversation in it"),
        ("measure nothing.jsonl --format messages", "nothing.jsonl: is empty"),
        ("measure lines.csv", "lines.csv: is empty"),
        ("convert nothing.jsonl --to csv --out r", "nothing.jsonl: is empty"),
        ("measure damaged.jsonl.gz", "damaged.jsonl.gz: damaged gzip: nothing could be read ("),
        ("measure damaged.jsonl.gz --format messages", "take another copy of it"),
        ("run study.yaml --out held", "held holds a run already; go on with --resume, or name another --out"),
        ("report study.yaml", "study.yaml: is a file, where a run's folder is expected; if it is a study, hold it"),
        ("status study.yaml", "study.yaml: is a file, where a run's folder is expected; if it is a study, hold it"),
        ("power held/journal.sqlite", "is a file of a run, where the run's folder is expected; name held"),
        ("compare study.yaml held", "study.yaml: is a file, where a run's folder is expected; if it is a study, hold"),
        ("chat --log nowhere/log.jsonl", "--log: nowhere: no such folder; make it first"),
        ("measure lines.csv --rater {kind:\xa0judge}", "--rater: model: is missing; add it"),
        ("validate lineal", "RATER: unknown rater 'lineal'; did you mean 'linear'?"),
        ("judge logs --model lineal", "--model: unknown rater 'lineal'; did you mean 'linear'?"),
    ],
)
def test_what_is_not_there_is_bad_input(
    command: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    (tmp_path / "study.yaml").write_text("candidates: [base]\nturns: 1\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.jsonl").write_text('{"messages": []}', encoding="utf-8")
    (tmp_path / "nothing.jsonl").touch()
    (tmp_path / "damaged.jsonl.gz").write_bytes(gzip.compress(b"{}")[:10] + b"\xff" * 20)
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "journal.sqlite").touch()
    (tmp_path / "lines.csv").write_text("\n \n", encoding="utf-8")
    assert run_command([word.replace("\xa0", " ") for word in command.split(" ")]) == 2
    out, err = capsys.readouterr()
    assert told in err
    said = [line for line in err.splitlines() if not line.startswith("loading models: ")]
    assert (out, len(said)) == ("", 1)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "command",
    [
        "status", "report", "power --difference 0.1", "export --out r", "measure", "convert --to csv --out r",
        "judge --model linear", "validate linear --data", "rater card", "serve-hint", "persona check", "plan -q",
        "run study.yaml --out r --replay", "run study.yaml --out r --model hf:", "measure log.jsonl --rater",
        "run study.yaml --out",
    ],
)  # fmt: skip
def test_a_name_that_is_too_long_is_bad_input(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("candidates: [base]\nturns: 1\n", encoding="utf-8")
    (tmp_path / "log.jsonl").write_text('{"messages": []}\n', encoding="utf-8")
    words = command.split()
    at = 1 if words[0] in ("power", "export", "convert", "judge") else len(words)
    words[at:at] = ["x" * 300]
    if command.endswith("hf:"):
        words[-2:] = [f"hf:./{'x' * 300}"]
    assert run_command(words) == 2
    out, err = capsys.readouterr()
    assert "x" * 50 in err
    assert "too long" in err or "longer than 255 bytes" in err
    assert (out, len(err.splitlines())) == ("", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "study.yaml"]
