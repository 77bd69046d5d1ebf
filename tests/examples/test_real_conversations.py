"""The example of real conversations runs, on small files of the same shape: the real ones are other people's."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from holdfast.simulator.logs.registry import FORMATS
from tests.simulator.logs.conftest import small

FOLDER = Path(__file__).parents[2] / "examples" / "real_conversations"


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_real_conversations", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reports_and_the_picture(example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "DATA", tmp_path / "data")
    for file, word, _ in example.SETS.values():
        path = tmp_path / "data" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        FORMATS[word].writer.write([small(number) for number in range(24)], path)
    found = example.main(tmp_path / "out")
    assert {name: results.conversations for name, results in found.items()} == {
        "ieval": 24,
        "esconv": 24,
        "sage": 24,
    }
    for name in found:
        page = (tmp_path / "out" / name / "report.html").read_text(encoding="utf-8")
        assert "I am worried" not in page  # figures only, no text of theirs
        assert str(tmp_path) not in page
    example.figure(found, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_data_that_are_absent_are_named(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(example, "DATA", tmp_path)
    assert example.main(tmp_path / "out") == {}
    assert capsys.readouterr().out.count("get it from its authors and set HOLDFAST_DATA") == 3


def test_it_is_short_and_has_a_readme() -> None:
    assert len((FOLDER / "run.py").read_text(encoding="utf-8").splitlines()) < 80
    assert (FOLDER / "README.md").exists()


@pytest.mark.slow
def test_the_figures_of_the_readme_are_those_that_come_out(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example, "SETS", {name: example.SETS[name] for name in ("ieval", "esconv")})
    if not all((example.DATA / file).exists() for file, _, _ in example.SETS.values()):
        pytest.skip("the data of iEval and ESConv are absent")
    rows, measured = {}, example.main(tmp_path / "out")
    for results in measured.values():
        for group, figures in results.groups.items():
            empathy = figures.labels["empathy"]
            both = figures.measures["expressed"].retention, empathy.expressed_r, empathy.length_r
            rows[group] = " | ".join(f"{shown(each.mean)} [{shown(each.lo)}, {shown(each.hi)}]" for each in both)
    rows["failed"] = rows.pop("all")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name, row in rows.items() if f"| {name} | {row} |" not in readme] == []
    slope = measured["esconv"].groups["all"].measures["expressed"].slope_given_length
    fall = [shown(-10 * each) for each in (slope.mean, slope.hi, slope.lo)]
    assert f"falls by {fall[0]} [{fall[1]}, {fall[2]}] in ten turns" in readme


def shown(value: float) -> str:
    """As the table writes it: ``-.14``, and no minus before what rounds to 0."""
    text = f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"
    return text.replace("-.00", ".00")
