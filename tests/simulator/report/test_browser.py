"""The page in a real browser: silent console, no request but itself, usable by keyboard, fits a phone."""

import pytest

from holdfast.core.text import visible
from holdfast.simulator.report.page import write_report
from tests.simulator.report.browser import EXECUTABLE, Browser
from tests.simulator.report.make_fixture import make_episodes, make_personas, make_results
from tests.simulator.report.test_page import EVIL, PEOPLE, SPOKEN, poisoned, poisoned_episodes

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium on this machine: the page cannot be opened")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("page") / "report.html", make_results(6), SPOKEN, PEOPLE)


def test_silent_alone_and_usable(report):
    with Browser() as browser:
        browser.open(report)
        assert browser.ask("document.querySelectorAll('.column').length") == 2
        heights = "[...document.querySelectorAll('.column')].map(c => c.querySelectorAll('.turn')[2].offsetTop)"
        assert len(set(browser.ask(heights))) == 1  # the same turn stands side by side

        # Arrow keys walk a chart; the tooltip repeats the row of the table below it.
        browser.ask("document.querySelector('[data-chart=decay]').focus()")
        browser.key("ArrowRight")
        browser.key("ArrowRight")
        assert browser.ask("document.querySelector('.tip p').textContent") == "turn 2"
        row = "document.querySelector('table[data-for=decay]').tBodies[0].rows[1].cells[1].textContent"
        assert browser.ask("document.querySelector('.tip td').textContent") == browser.ask(row)

        # Choosing a candidate marks its lines in every figure.
        browser.ask("document.querySelector('[data-pick=\"1\"]').click()")
        assert browser.ask("document.querySelectorAll('.on[data-of=\"1\"]').length > 10")
        assert browser.ask("document.querySelectorAll('.on:not([data-of=\"1\"])').length") == 0
        browser.key("Escape")
        assert browser.ask("document.querySelectorAll('.on').length") == 0

        # Another persona; a third candidate beside the two.
        browser.ask(
            "(s => { s.value = '2'; s.dispatchEvent(new Event('change')); })(document.getElementById('pick-who'))"
        )
        browser.ask("document.querySelector('#pick-cols input').click()")
        assert browser.ask("document.querySelectorAll('.column').length") == 3
        who = browser.ask("document.getElementById('pick-who').selectedOptions[0].textContent")
        assert browser.ask("document.querySelector('#about strong').textContent") in who

        assert browser.complaints() == []
        assert browser.requests() == [report.resolve().as_uri()]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_names_of_quarters_stay_in_their_chart(width, tmp_path):
    path = write_report(tmp_path / "report.html", make_results(4), SPOKEN, PEOPLE)
    with Browser(width=width) as browser:
        browser.open(path)
        of = "[...document.querySelectorAll('[data-chart=decay] {}')].map(e => {{ const r = e.getBoundingClientRect(); "
        of += "return [r.left, r.top, r.right, r.bottom]; }})"
        names, ticks = (browser.ask(of.format(kind)) for kind in (".span-label", ".tick"))
        assert len(names) == 2
        assert all(left >= 0 and right <= width for left, _, right, _ in names)
        assert [
            (name, tick)
            for name in names
            for tick in ticks
            if name[0] < tick[2] and tick[0] < name[2] and name[1] < tick[3] - 2 and tick[1] < name[3] - 2
        ] == []


def test_search_finds_every_message_marks_it_and_leads_there(report):
    expected = sum("the survey" in text for e in SPOKEN for t in e.turns for text in (t.user, t.reply))
    with Browser() as browser:
        browser.open(report)
        search = "(f => {{ f.value = '{}'; f.dispatchEvent(new Event('input')); }})(document.getElementById('find'))"
        browser.ask(search.format("The SURVEY"))
        browser.ask("new Promise(done => setTimeout(done, 400))")
        assert browser.ask("document.getElementById('found-count').textContent").startswith(f"{expected} messages")
        browser.ask("document.querySelector('#found-list button').click()")
        assert browser.ask("document.activeElement.querySelector('mark').textContent") == "the survey"
        browser.ask(search.format("no such words"))
        browser.ask("new Promise(done => setTimeout(done, 400))")
        assert browser.ask("document.getElementById('found-count').textContent") == "No message holds it."
        assert browser.complaints() == []


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_is_wider_than_the_screen(report, width):
    with Browser(width=width) as browser:
        browser.open(report)
        assert browser.ask("document.documentElement.scrollWidth") == width


def test_readable_without_javascript(report):
    with Browser(scripts=False) as browser:
        browser.open(report)
        document = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]

        def found(selector):
            return len(browser.call("DOM.querySelectorAll", nodeId=document, selector=selector)["nodeIds"])

        assert found("noscript p.banner") == 1
        assert found("#columns .column") == 2
        assert found("#columns .turn") == sum(
            len(e.turns)
            for e in SPOKEN
            if e.spec.persona == "team_conflict_0" and e.spec.candidate in ("routed", "system_prompt_with_reminder")
        )
        assert found(".controls[hidden]") == 1


def test_hostile_text_runs_nothing_and_reads_as_it_was_written(tmp_path):
    path = write_report(tmp_path / "report.html", poisoned(make_results(6)), poisoned_episodes(), PEOPLE)
    with Browser() as browser:
        browser.open(path)
        assert browser.ask("document.querySelector('#columns [data-f=r]').textContent") == visible(EVIL)
        assert browser.ask("document.images.length") == 0
        assert not any(e["method"] == "Page.javascriptDialogOpening" for e in browser.events)
        assert browser.complaints() == []
        assert browser.requests() == [path.resolve().as_uri()]


@pytest.mark.slow
def test_a_thousand_conversations_of_a_hundred_turns(tmp_path):
    people = make_personas(per_task=25)
    episodes = make_episodes(
        people, turns=100, seeds=1, candidates=["base", "system_prompt", "adapter", "routed", "oracle"]
    )
    assert len(episodes) == 1000
    path = write_report(tmp_path / "report.html", make_results(100), episodes, people)
    assert path.stat().st_size < 8_000_000
    with Browser() as browser:
        browser.open(path)
        seconds = "(() => { const t = performance.now(); %s; return (performance.now() - t) / 1000; })()"
        assert browser.ask(seconds % "document.querySelector('#pick-cols input').click()") < 3
        assert browser.ask("document.querySelectorAll('.column .turn').length") > 100
        assert browser.complaints() == []
