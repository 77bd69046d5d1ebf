"""The methods paragraph says what this run did, and its BibTeX what the paragraph cites."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.gate.rater import GATE_VERSION, GatedRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.personas.loading import patterns
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.methods import _CITED, bibtex, methods_text
from holdfast.simulator.logs.model import LogResults
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.sources import open_sources
from tests.simulator.logs.test_differences import talks

ROOT = Path(__file__).parents[3]


def write(path: Path, made: list[Conversation]) -> Path:
    writer = FORMATS["messages"].writer
    assert writer is not None
    writer.write(made, path)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.jsonl", talks({"a": 6, "b": 5}))


def measured(path: Path, **how: object) -> LogResults:
    return measure_files(open_sources([path]), **how)[0]  # type: ignore[arg-type]


def test_what_the_run_decides(log: Path) -> None:
    results = measured(log, by=["model"], pattern="companion", seed=7, draws=300)
    text = methods_text(results)
    assert (
        f"We measured 22 conversations of 11 people ({results.turns} turns, at most {results.longest} in one)" in text
    )
    assert "from log.jsonl (messages). Conversations were grouped by model (a: 12 conversations, b: 10 conv" in text
    assert f"Replies were rated by linear version {LinearRater().identity.version}, on the scale expressed" in text
    assert f"a gate (version {GATE_VERSION}) sorted out" in text
    target = patterns()["companion"].target.model_dump()
    assert f"“Companion” (emotional reaction {target['emotional_reaction']:g}, interpretation " in text
    assert "with 300 draws and seed 7" in text
    assert "(unpaired)" in text
    assert "adjusted over all 2 tests (Holm, 1979)" in text
    assert "got neither interval nor p" not in text


def test_what_the_run_did_not_do_is_not_said(log: Path) -> None:
    text = methods_text(measured(log, by=[], raters={"linear": LinearRater()}))
    for absent in (
        "a gate",
        "grouped by",
        "Adherence",
        "Holm",
        "Beside it",
        "disqualified",
        "unrated",
        "does not name",
    ):
        assert absent not in text


def test_what_was_left_out_is_counted(tmp_path: Path) -> None:
    said = [("user", "I lost my job."), ("assistant", "no " * 9), ("user", "So?"), ("assistant", "你好 我很难过")]
    messages = tuple(LogMessage(role, text) for role, text in said)  # type: ignore[arg-type]
    path = write(tmp_path / "log.jsonl", [Conversation("c", "", messages), *talks({"a": 6, "b": 3})])
    with path.open("a") as file:
        file.write("{broken\n")
    raters = {"linear": GatedRater(LinearRater()), "felt": GatedRater(FittedRater(SHIPPED_PERCEIVED))}
    text = methods_text(measured(path, by=["model"], raters=raters))
    assert "The log does not name the speaker of 1 of them" in text
    assert "1 piece of the files could not be used." in text
    assert "1 loop were disqualified, and left out of every mean" in text
    with_pattern = methods_text(measured(path, by=["model"], raters=raters, pattern="companion"))
    assert "1 loop were disqualified, and adhere 0 to the pattern" in with_pattern
    assert re.search("unrated, and left out, are: 1 ", text)
    assert "Beside it stood felt, " in text
    assert "(SENSE-7; Suh et al., 2025)" in text
    assert "2 comparisons with fewer than 5 people" in text


def test_bibtex_holds_what_is_cited_and_nothing_else(log: Path) -> None:
    plain = bibtex(measured(log, by=[]))
    assert "sharma2020computational" in plain
    assert not any(key in plain for key in ("holm1979", "shayegani2025", "suh2025", "VERSION"))
    tested = measured(log, by=["model"], pattern="companion")
    keys = re.findall(r"^@\w+\{(\w+),$", bibtex(tested), flags=re.MULTILINE)
    cited = [key for key, words in _CITED.items() if words and words in methods_text(tested)]
    assert keys == ["holdfast", *cited]
    assert {"holm1979simple", "chung2013exact", "shayegani2025measurement"} <= set(keys)
    assert bibtex(tested).count("{") == bibtex(tested).count("}")


def test_the_entries_agree_with_the_citation_file(log: Path) -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    results = measured(log, pattern="companion")
    entries = bibtex(results.model_copy(update={"holdfast_version": citation["version"]}))
    paper = citation["references"][0]
    for words in (citation["title"], citation["authors"][0]["name"], str(citation["version"]), paper["title"]):
        assert f"{{{words}" in entries
    assert " and ".join(author["family-names"] for author in paper["authors"]) in entries
    assert f"eprint = {{{paper['url'].rpartition('/')[2]}}}" in entries
    assert f"{citation['license']} license" in entries


def test_on_the_screen_as_json_and_on_the_page(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["measure", str(log), "--by", "model"]
    assert run_command([*command, "--methods", "--out", str(tmp_path / "out")]) == 0
    screen = capsys.readouterr().out
    assert screen.startswith("We measured 22 conversations of 11 people")
    assert "@misc{holdfast," in screen
    assert "first → last quarter" not in screen
    assert run_command([*command, "--methods", "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert f"{both['methods']}\n\n{both['bibtex']}" in screen
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "We measured 22 conversations of 11 people" in page
    assert "@misc{holdfast," in page


def test_people_in_several_groups_are_counted_once(tmp_path: Path) -> None:
    assert measured(write(tmp_path / "log.jsonl", talks({"a": 6, "b": 8}, prefix="p"))).people == 8
