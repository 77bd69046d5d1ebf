"""The page of a log: every section, in a real browser, and hostile text that does nothing."""

from dataclasses import replace

import pytest

from holdfast.core.text import visible
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.sources import open_sources
from holdfast.simulator.measure.estimates import MeanEstimate
from holdfast.simulator.report.log_page import log_headline, page_context, write_outputs
from holdfast.simulator.report.series import Series
from holdfast.simulator.report.values import middle
from tests.simulator.logs.conftest import small
from tests.simulator.report.browser import EXECUTABLE, Browser
from tests.simulator.report.test_page import EVIL, Outline

needs_browser = pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium on this machine: the page cannot be opened")


def hostile(number):
    said = []
    for turn in range(6):
        said.append(LogMessage("user", EVIL, {EVIL: 3.0, "emotion": 40.0 + turn}))
        said.append(LogMessage("assistant", f"I am so sorry. {EVIL}", tag=EVIL))
    return Conversation(f"{EVIL}{number}", "", tuple(said), f"p{number}", {"model": EVIL, "x": "y"}, {EVIL: 2.0})


def report(tmp_path, talks, keep=2):
    FORMATS["messages"].writer.write(talks, tmp_path / "log.jsonl")
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"messages": "' + EVIL.replace("\ud800", "") + '"}\n')
    results, tallies = measure_files(open_sources([tmp_path / "log.jsonl"]), keep=keep)
    return write_outputs(tmp_path / "out", results, tallies), results, tallies


def test_all_sections(tmp_path):
    path, results, _ = report(tmp_path, [small(n) for n in range(6)])
    page = path.read_text(encoding="utf-8")
    ids = {attrs.get("id") for tag, attrs in Outline(page).tags if tag == "section"}
    assert ids == {"top", "decay", "mechanisms", "labels", "survival", "length", "transcripts", "making"}
    assert "Emotion by turn" in page
    assert "pieces of the files could not be used" in page
    assert results.skipped.total == 1
    assert "no messages" in page


def test_hostile_text_stays_text(tmp_path):
    page = report(tmp_path, [hostile(n) for n in range(4)])[0].read_text(encoding="utf-8")
    outline = Outline(page)
    assert len(outline.scripts) == 1
    assert "img" not in [tag for tag, _ in outline.tags]
    assert "alert" not in outline.scripts[0]
    assert not any(
        value and "alert" in value for _, attrs in outline.tags for name, value in attrs.items() if name == "href"
    )


def test_the_headline_names_the_extremes(tmp_path):
    talks = [replace(small(n), columns={"model": name}) for n in range(6) for name in "abcd"]
    results = report(tmp_path, talks)[1]
    groups = {}
    for name, mean in (("a", 0.9), ("b", 0.5), ("c", 1.2), ("d", None)):
        kept = MeanEstimate(mean=mean, lo=None, hi=None, n=6)
        measures = {"expressed": results.groups[name].measures["expressed"].model_copy(update={"retention": kept})}
        groups[name] = results.groups[name].model_copy(update={"measures": measures})
    headline = log_headline(
        results.model_copy(update={"groups": groups}), [Series(name, n, n, False) for n, name in enumerate(groups)]
    )
    assert [(s.name, figure) for s, figure, _ in headline.claims] == [("c", "120\u202f%"), ("b", "50\u202f%")]
    assert headline.rest == 1


def test_a_page_without_text_keeps_no_conversation(tmp_path):
    path, results, tallies = report(tmp_path, [small(n) for n in range(6)], keep=0)
    assert tallies.kept == []
    assert page_context(results)["talks"] == []
    assert "I am worried" not in path.read_text(encoding="utf-8")


def test_long_names_are_cut_in_their_middle():
    assert middle("short") == "short"
    assert middle("deepseek-v3-2024-1227/claude3.7", 11) == "deeps…de3.7"
    assert len(middle("x" * 99, 28)) == 28


def falling(number, text="I feel low."):
    """A conversation that begins kindly and ends in lists, later for higher numbers."""
    replies = ["I'm sorry."] * (1 + number % 3) + ["Make lists."] * 3  # too short for copies
    said = [m for reply in replies for m in (LogMessage("user", text), LogMessage("assistant", reply))]
    return Conversation(f"fall{number}", "", tuple(said), f"p{number}", {"model": "m"})


def test_the_deepest_falls_lead_to_their_talks(tmp_path):
    """Two conversations of the group are kept as the first; those that fall are shown too, each once."""
    talks = [small(n) for n in range(2)] + [falling(n) for n in range(12)]
    talks = [replace(talk, columns={"model": "m"}) for talk in talks]
    path, results, _ = report(tmp_path, talks)
    tags = Outline(path.read_text(encoding="utf-8")).tags
    links = [attrs["href"] for tag, attrs in tags if tag == "a" and attrs.get("href", "").startswith("#talk-")]
    anchors = [attrs["id"] for tag, attrs in tags if tag == "details" and attrs.get("id", "").startswith("talk-")]
    assert (len(results.falls), len(links), len(set(links)), len(anchors)) == (10, 10, 10, 12)
    assert {link.removeprefix("#") for link in links} <= set(anchors)
    bare = report(tmp_path, talks, keep=0)[0].read_text(encoding="utf-8")
    assert '<section id="falls"' in bare
    assert "#talk-" not in bare
    assert "Make lists" not in bare


def test_hostile_names_of_what_falls_and_differs_stay_text(tmp_path):
    talks = [replace(falling(n), id=f"{EVIL}{n}", columns={"model": EVIL * (1 + n % 2)}) for n in range(12)]
    path, results, _ = report(tmp_path, talks)
    assert (len(results.falls), len(results.differences)) == (10, 2)
    outline = Outline(path.read_text(encoding="utf-8"))
    assert len(outline.scripts) == 1
    assert "img" not in [tag for tag, _ in outline.tags]
    links = [attrs["href"] for tag, attrs in outline.tags if tag == "a" and attrs.get("href")]
    assert not any("alert" in link for link in links)


@needs_browser
def test_talks_are_searched_and_opened_by_their_links(tmp_path):
    path, _, _ = report(tmp_path, [falling(n, f"It is day {n}.") for n in range(6)])
    with Browser() as browser:
        browser.open(path)
        assert browser.ask("document.querySelectorAll('details.talk[open]').length") == 0
        browser.ask("document.querySelector('#falls tbody tr:nth-child(2) a').click()")
        browser.ask("new Promise((done) => setTimeout(done, 100))")
        name = browser.ask("document.querySelector('#falls tbody tr:nth-child(2) a').textContent")
        assert name in browser.ask("document.querySelector('details.talk[open] summary').textContent")
        search = "(f => {{ f.value = '{}'; f.dispatchEvent(new Event('input')); }})(document.getElementById('find'))"
        browser.ask(search.format("IT IS DAY 3"))
        assert browser.ask("document.querySelectorAll('details.talk:not([hidden])').length") == 1
        assert browser.ask("document.querySelectorAll('#falls tbody tr:not([hidden])').length") == 1
        assert browser.ask("document.getElementById('find-count').textContent") == "1 of 6 conversations hold it."
        browser.ask(search.format(""))
        assert browser.ask("document.querySelectorAll('details.talk:not([hidden])').length") == 6
        assert browser.complaints() == []


@needs_browser
def test_silent_alone_and_fits_a_phone(tmp_path):
    path, _, _ = report(tmp_path, [small(n, turns=8) for n in range(8)])
    with Browser(width=360) as browser:
        browser.open(path)
        assert browser.ask("document.documentElement.scrollWidth") == 360
        browser.ask("document.querySelector('[data-chart=curve-adherence]').focus()")
        browser.key("ArrowRight")
        assert browser.ask("document.querySelector('.tip p').textContent") == "turn 1"
        assert browser.complaints() == []
        assert browser.requests() == [path.resolve().as_uri()]


@needs_browser
def test_hostile_text_runs_nothing_and_reads_as_it_was_written(tmp_path):
    path, _, _ = report(tmp_path, [hostile(n) for n in range(4)])
    with Browser() as browser:
        browser.open(path)
        shown = browser.ask("document.querySelector('#transcripts .user').textContent")
        assert shown == visible(f"User: {EVIL}".replace("\ud800", "?"))
        assert browser.ask("document.images.length") == 0
        assert browser.complaints() == []
        assert browser.requests() == [path.resolve().as_uri()]
