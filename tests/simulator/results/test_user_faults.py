"""Marks of users at fault: each rule on right, wrong and irrelevant messages, and the headline without the marked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.agents.raters.protocol import expressed
from holdfast.agents.users.protocol import Intention
from holdfast.personas.loading import library
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord
from holdfast.simulator.report.page import write_report
from holdfast.simulator.results.user_fault_rules import assists_or_leaks, contradicts, user_faults
from holdfast.simulator.results.user_faults import SHOWN, user_fault_results
from tests.simulator.report import make_fixture
from tests.simulator.report.make_fixture import make_study

JUN = library()["jun_park"]  # 42; never says "toxic"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("my boss is toxic", "toxic"),
        ("I'm 35, and tired of it", "I'm 35"),
        ("i am 24 years old", "i am 24"),
        ("Hi, my name is Peter", "my name is Peter"),
        ("I'm 42. Nobody greets me", ""),
        ("My name is Jun", ""),
        ("I am 20 minutes late, and 35 people saw it", ""),
        ("my name is mud there", ""),
        ("nine years until I am 51, then I go", ""),
        ("the truth is that he intoxicates the room", ""),
        ("nobody says a word to me", ""),
        ("", ""),
    ],
)
def test_contradictions(message: str, shown: str) -> None:
    assert contradicts(message, JUN) == shown


@pytest.mark.parametrize(
    ("message", "marked"),
    [
        ("How can I help you today?", True),
        ("As an AI, I do not have feelings.", True),
        ("I'm sorry to hear that you feel alone.", True),
        ("In this role-play I am sad.", True),
        ("Can you help me sort it out?", False),
        ("I am sorry, I could not sleep.", False),
        ("thanks, that helps", False),
        ("", False),
    ],
)
def test_assisting(message: str, marked: bool) -> None:
    assert bool(assists_or_leaks(message)) == marked


def test_no_utterance_of_the_library_is_marked() -> None:
    utterances = [(p, text) for p in library().values() if p.story for text in p.story.utterances()]
    assert len(utterances) > 4000
    assert [text for p, text in utterances if contradicts(text, p) or assists_or_leaks(text)] == []


def turn(number: int, user: str, stop: str | None = None, kind: str = "tell", **state: object) -> TurnRecord:
    left = {"goals_left": ["sort"], "poor_turns": 0} | state
    said = Intention(kind=kind)
    return TurnRecord("e", number, user, said, "I see.", {"linear": expressed(1, 1, 1)}, {}, 50.0, left, stop=stop)


def talk(*turns: TurnRecord, planned: int = 8) -> EpisodeRecord:
    return EpisodeRecord(EpisodeSpec("jun_park", JUN.task, "base", 1, planned), turns)


LEFT = "user left: bored"


@pytest.mark.parametrize(
    ("episode", "early"),
    [
        (talk(turn(1, "hi"), turn(2, "hm", LEFT)), True),
        (talk(turn(1, "hi"), turn(2, "ok, goodbye!")), True),
        (talk(turn(1, "hi"), turn(2, "hm", LEFT, goals_left=[])), False),  # all goals are met
        (talk(turn(1, "hi"), turn(2, "hm", LEFT, poor_turns=JUN.patience)), False),  # patience is gone
        (talk(turn(1, "hi"), turn(2, "bye", kind="close")), False),  # it was to say so
        (talk(turn(1, "hi"), turn(2, "bye"), planned=3), False),  # past half of the turns
        (talk(turn(1, "hi"), turn(2, "we said goodbye to her")), False),
        (talk(turn(1, "hi"), turn(2, "I never got to say goodbye.")), False),
        (talk(turn(1, "hi"), turn(2, "not even a goodbye")), False),
        (talk(turn(1, "hi"), turn(2, "hm", "max turns")), False),
        (talk(), False),
    ],
)
def test_ending_early(episode: EpisodeRecord, early: bool) -> None:
    assert [fault.kind for fault in user_faults(episode, JUN)] == (["ends too early"] if early else [])


def test_a_variant_is_judged_by_its_own_patience() -> None:
    left = talk(turn(1, "hi"), turn(2, "hm", LEFT, poor_turns=2))
    agent = replace(left, spec=replace(left.spec, agent="jun_park-1"))
    people = {"jun_park": JUN, "jun_park-1": JUN.model_copy(update={"patience": 2})}
    results = user_fault_results([agent], people, lambda _: pytest.fail("nothing is marked"))
    assert (results.checked, results.marked) == (1, 0)
    assert user_fault_results([left], people, lambda _: "").marked == 1


def test_any_age_that_the_background_names_may_be_said() -> None:
    two = JUN.model_copy(update={"background": "Lives with a mother of 81, who is ill, and is 44 years old."})
    assert contradicts("I'm 44, and tired of it", two) == ""
    assert contradicts("I'm 35, and tired of it", two) == "I'm 35"


def test_counts_and_the_finding_without_them() -> None:
    bad = talk(turn(1, "As an AI I am toxic"), turn(2, "How can I help you?"))
    good = replace(talk(turn(1, "nobody greets me")), spec=replace(bad.spec, replicate=2))
    kept: list[EpisodeRecord] = []
    results = user_fault_results([bad, good, talk()], {"jun_park": JUN}, lambda some: kept.extend(some) or "fine")
    assert (results.checked, results.marked) == (2, 1)
    assert results.by_kind == {"assists": 1, "contradicts its persona": 1}
    assert [(mark.turn, mark.kind) for mark in results.marks] == [
        (1, "contradicts its persona"), (1, "assists"), (2, "assists"),
    ]  # fmt: skip
    assert good in kept
    assert bad not in kept
    assert "at fault in 1 of 2 conversations" in results.in_words
    clean = user_fault_results([good], {"jun_park": JUN}, lambda _: pytest.fail("nothing is marked"))
    assert clean.headline_without == ""
    assert "no user is seen at fault in 1 conversation" in clean.in_words


def test_the_page_shows_the_headline_without_marked_conversations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, episodes, people = make_study(turns=4, candidates=("base", "routed"), per_task=1)
    assert results.user_faults is not None
    assert results.user_faults.marked == 0
    evil = "As an AI <script>alert(1)</script> how can I help you?"
    first = next(each for each in episodes if each.spec.candidate == "routed")
    changed = [
        replace(each, turns=(replace(each.turns[0], user=evil), *each.turns[1:])) if each is first else each
        for each in episodes
    ]
    monkeypatch.setattr(make_fixture, "make_episodes", lambda *_, **__: changed)
    again, _, _ = make_study.__wrapped__(turns=4, candidates=("base", "routed"), per_task=1)
    assert again.user_faults.marked == 1
    assert again.user_faults.headline_without not in ("", again.headline)
    page = write_report(tmp_path / "r.html", again, changed, people).read_text(encoding="utf-8")
    assert "Is the user at fault?" in page
    assert "Without the marked conversations:" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize(("marks", "left_out"), [(SHOWN - 1, 0), (SHOWN, 0), (SHOWN + 1, 1)])
def test_the_page_says_the_first_marks_only_where_there_are_more(tmp_path: Path, marks: int, left_out: int) -> None:
    study, episodes, people = make_study(turns=4, candidates=("base", "routed"), per_task=1)
    bad = talk(*(turn(number, "How can I help you today?") for number in range(1, marks + 1)), planned=marks)
    at_fault = user_fault_results([bad], {"jun_park": JUN}, lambda _: "nothing")
    assert (len(at_fault.marks), at_fault.left_out) == (min(marks, SHOWN), left_out)
    results = study.model_copy(update={"user_faults": at_fault})
    page = write_report(tmp_path / "r.html", results, episodes, people).read_text(encoding="utf-8")
    assert "“Shown by” are the user" in page
    assert ("The first" in page.partition("Marks: table")[2].partition("</caption>")[0]) == bool(left_out)
    assert (f"The first {SHOWN} of {SHOWN + 1}." in page) == bool(left_out)
