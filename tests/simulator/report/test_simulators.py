"""The page's section on who played the users."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.simulator.cli.studies.summary import played_by
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.report.goals import BY_MODEL, BY_RULES
from holdfast.simulator.report.page import write_report
from holdfast.simulator.report.series import palette_of
from holdfast.simulator.report.simulators import simulators
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.simulators import verdicts_that_differ
from tests.agents.users.players import Player, nonsense
from tests.simulator.conversation.test_model_users import MIXED, mixed, results_of
from tests.simulator.engine.studies import run, study


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, str]:
    """Results and page of a mixed study whose model never finds a user's words."""
    out, plan = tmp_path_factory.mktemp("mixed"), study(**MIXED)
    run(mixed(plan, Player(speaks=nonsense)), out)
    results = results_of(plan, out)
    page = write_report(out / "report.html", results, read_episodes(out / "journal.sqlite"), plan.personas)
    return results, page.read_text(encoding="utf-8")


def test_each_simulator_has_its_candidates_and_its_share_of_own_words(ran: tuple[Results, str]) -> None:
    results, _ = ran
    embedded, player = simulators(results, palette_of(results))
    assert [s.name for s, _ in player.candidates] == [s.name for s in palette_of(results).series]
    assert (embedded.own_messages, embedded.own_judgements, embedded.refused) == (None, None, ())
    assert (player.own_messages, player.own_judgements) == (0, 1)
    assert sum(n for _, n in player.refused) == 162


def test_the_section_stands_on_the_page_and_transcripts_say_who_played(ran: tuple[Results, str]) -> None:
    _, page = ran
    assert '<section id="simulators"' in page
    assert "played by 2 simulators" in page
    assert "(played by player)" in page
    for name in ("embedded", "player"):
        assert f"<bdi>{name}</bdi>" in page


def test_it_says_in_words_why_lines_were_refused(ran: tuple[Results, str], tmp_path: Path) -> None:
    results, page = ran
    lacks = "leaves out the feeling, topic or need that it was to bring up"
    (_, player) = simulators(results, palette_of(results))
    assert dict(player.refused)[lacks] == results.simulators["player"].model.refused_by["misses"]
    assert f"Why lines of <bdi>player</bdi> were refused: each {player.refused[0][0]} (" in page
    assert "misses" not in page
    counts = results.simulators["player"].model.model_copy(update={"refused_by": {"a_later_check": 2, "assists": 3}})
    changed = results.simulators["player"].model_copy(update={"model": counts})
    results = results.model_copy(update={"simulators": {"player": changed}})
    page = write_report(tmp_path / "r.html", results, [], {}).read_text(encoding="utf-8")
    assert "were refused: each speaks as a helper (3); a later check (2)." in page


def test_it_says_which_verdicts_hang_on_who_played(ran: tuple[Results, str], tmp_path: Path) -> None:
    results, page = ran
    assert verdicts_that_differ(results.simulators) == {}
    assert "holds depends on" not in page + "".join(played_by(results))
    player = results.simulators["player"]
    base = player.candidates["base"]
    before = results.simulators["embedded"].candidates["base"].holds.verdict
    after = "holds" if before != "holds" else "does not hold"
    turned = base.model_copy(update={"holds": base.holds.model_copy(update={"verdict": after})})
    moved = player.model_copy(update={"candidates": player.candidates | {"base": turned}})
    changed = results.model_copy(update={"simulators": results.simulators | {"player": moved}})
    assert verdicts_that_differ(changed.simulators) == {"base": {"embedded": before, "player": after}}
    told = write_report(tmp_path / "r.html", changed, [], {}).read_text(encoding="utf-8")
    sentence = f"{before} with <bdi>embedded</bdi>; {after} with <bdi>player</bdi>."
    assert f"Whether <bdi>base</bdi> holds depends on it</strong>: {sentence}" in told
    assert played_by(changed)[0].startswith("whether base holds depends on who played the users: ")


def test_it_says_when_each_kind_of_users_counts_a_goal_as_served(ran: tuple[Results, str], tmp_path: Path) -> None:
    results, page = ran
    assert (BY_RULES in page, BY_MODEL in page) == (True, True)
    for simulators_left, told in ((None, (True, False)), (["embedded"], (True, False)), (["player"], (False, True))):
        left = None if simulators_left is None else {name: results.simulators[name] for name in simulators_left}
        changed = results.model_copy(update={"simulators": left})
        page = write_report(tmp_path / "r.html", changed, [], {}).read_text(encoding="utf-8")
        assert (BY_RULES in page, BY_MODEL in page) == told


def test_names_are_escaped(ran: tuple[Results, str], tmp_path: Path) -> None:
    results, _ = ran
    evil = "<script>alert(1)</script>"
    renamed = results.model_copy(update={"simulators": {evil: results.simulators["player"]}})
    page = write_report(tmp_path / "r.html", renamed, [], {}).read_text(encoding="utf-8")
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_study_with_the_embedded_users_only_has_no_such_section(ran: tuple[Results, str], tmp_path: Path) -> None:
    results, _ = ran
    page = write_report(tmp_path / "r.html", results.model_copy(update={"simulators": None}), [], {}).read_text(
        encoding="utf-8"
    )
    assert 'id="simulators"' not in page
