"""Values that nobody means: each is refused with its place, in bounded time, whatever it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from holdfast import Study
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.study_file import load_study

MODEL = "model: {ref: 'openai:m', base_url: 'http://127.0.0.1:9/v1', %s}"
HOSTILE = {
    "seed": ["seed: .nan", "seed: .inf", "seed: 1e400", "seed: " + "9" * 5000, "seed: " + "9" * 30, "seed: -1",
             "seed: true", "seed: ''", "seed: [1]", "seed: 0x" + "f" * 40, "seed: 1.5"],
    "turns": ["turns: .inf", "turns: 10001", "turns: '3'", "turns: {a: 1}", "lengths: [1, .nan]"],
    "budget": ["budget: {minutes: .inf}", "budget: {minutes: 1e308}", "budget: {tokens: " + "9" * 40 + "}",
               "budget: {cost_usd: -.inf}", "budget: {minutes: 0}"],
    "model": [MODEL % f"{name}: {value}" for name in ("timeout_s", "patience_s", "wait_s")
              for value in (".nan", ".inf", "1e308", "-1", "''", "[]")],
    "prices": [MODEL % f"prices: {{prompt: {value}}}" for value in (".inf", "1e400", "1e308", "-1", "free")],
    "served_as": [MODEL % f"served_as: '{text}'" for text in (
        "{x}{adapter}", "{adapter.__class__}", "{adapter!r:>1000000000}", "{adapter}{adapter:>999999999}",
        "{adapter} {", "}{adapter}", "{{adapter}}", "{0}", "", "{adapter}{adapter}", "{adapter[0]}")],
    "cache": [MODEL % "cache: ''", MODEL % "cache: 3", MODEL % "cache: .nan", MODEL % 'cache: "a\\0b"'],
    "text": ['name: "a\\ud800b"', 'name: "a\\u202eb"', "name: ''", "name: [a]", "name: {}", "name: 3",
             'name: "a\\0"'],
    "trees": ["name: &a [x]\nseed: *a", "name: " + "[" * 40 + "]" * 40, "<<: {seed: 3}", "? [a]\n: b",
              "seed: 1\nseed: 2", "name: !!python/object/apply:os.system ['true']"],
}  # fmt: skip


@pytest.mark.parametrize("text", [text for texts in HOSTILE.values() for text in texts], ids=lambda text: text[:60])
def test_each_is_one_error_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.yaml").write_text(f"candidates: [base]\n{text}\n", encoding="utf-8")
    began = time.perf_counter()
    with pytest.raises(InputError, match=r"study\.yaml:\d+:\d+: ") as caught:
        load_study(tmp_path / "study.yaml")
    assert time.perf_counter() - began < 5
    assert len(str(caught.value)) < 3000


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
@pytest.mark.parametrize("field", ["minutes", "cost_usd"])
def test_python_is_held_to_the_same(field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=field):
        Study.of(candidates=["base"], budget={field: value})
    with pytest.raises(ValidationError, match="seed"):
        Study.of(candidates=["base"], seed=10**30)


OPTIONS = [
    *(["--max-minutes", value] for value in ("nan", "inf", "-inf", "1e308", "0", "", "x")),
    *(["--max-cost", value] for value in ("nan", "inf", "1e400")),
    *(["--max-tokens", value] for value in ("9" * 40, "0", "nan", "1e3")),
    *(["--seed", value] for value in ("9" * 40, "-1", "nan", "")),
    *(["--turns", value] for value in ("inf", "99999", "0")),
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_options_of_a_run(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text("candidates: [base]\n")
    assert run_command(["run", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "run"), "-q", *options]) == 2
    assert options[0] in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "", "--every", "1"],
        ["status", ".", "--every", "nan"],
        ["status", ".", "--every", "inf"],
        ["power", ".", "--difference", "nan"],
        ["power", ".", "--target", "nan"],
        ["report", ""],
        ["report", "/"],
        ["report", "a\udcffb"],
        ["export", "", "--out", "x"],
        ["measure", "/dev/null"],
        ["measure", "/dev/zero"],
        ["measure", "x", "--seed", "9" * 40],
        ["persona", "check", "/dev/zero"],
        ["run", "/dev/zero", "--out", "x"],
        ["run", "a\udcff.yaml", "--out", "x"],
        ["run", "~nouser/x.yaml", "--out", "x"],
        ["serve-hint", "/dev"],
    ],
    ids=" ".join,
)
def test_other_commands(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(arguments) == 2
    assert capsys.readouterr().err.strip()
    assert list(tmp_path.iterdir()) == []
