"""Replies that were no plain answers: counted by outcome and cause, never rated, said on the screen and on the page."""

from dataclasses import replace

import pytest

from holdfast.agents.raters.protocol import Rating
from holdfast.agents.users.protocol import Intention
from holdfast.simulator.cli.studies.summary import print_summary
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.report.page import write_report
from holdfast.simulator.results.outcomes import outcome_lines
from tests.simulator.results.test_build import PERSONAS, build, conversation

FEEL = Intention("feel", feeling="tired")
CUT = "thoughts only, cut off at max_tokens"


def silent(episode: EpisodeRecord, numbers: range, cause: str = CUT) -> EpisodeRecord:
    """The turns of these numbers without a reply."""
    rating = {"linear": Rating(missing=f"no answer: {cause}")}
    changes = {"reply": "", "ratings": rating, "felt": {}, "outcome": "thoughts only", "thoughts": "Hm."}
    turns = [replace(turn, **changes) if turn.turn in numbers else turn for turn in episode.turns]
    return replace(episode, turns=tuple(turns))


def test_replies_without_text_are_counted_by_cause_and_move_no_figure():
    words = {"said": FEEL, "user": "I am tired", "reply": "tired ?"}
    spoken = [conversation("routed", f"p{i}", [0.9] * 8, **words) for i in range(4)]
    part = build([silent(each, range(3, 5)) for each in spoken]).candidates["routed"]
    whole = build(spoken).candidates["routed"]
    assert part.silent == {CUT: 8}
    assert part.outcomes == {"answered": 24}
    assert (part.thoughtful, whole.thoughtful) == (8, 0)
    assert part.unrated == {f"no answer: {CUT}": 8}
    assert part.adherence.mean == pytest.approx(whole.adherence.mean)
    assert part.retention.mean == pytest.approx(whole.retention.mean)
    assert part.naming.mean == whole.naming.mean == 1.0  # silence fails to name nothing: it does not count
    assert (part.naming.n, whole.naming.n) == (12, 16)
    for by_turn in (part.holding.reply_words_by_turn, part.adherence_by_turn):
        assert [point.turn for point in by_turn] == [1, 2, 5, 6, 7, 8]


def test_a_candidate_that_never_answered_kept_nothing(tmp_path, capsys):
    held = [silent(conversation("base", f"p{i}", [0.9] * 4, max_turns=4), range(1, 5)) for i in range(2)]
    results = build(held)
    assert "undefined (no reply in the last quarter could be rated)" in results.headline
    assert outcome_lines(results.candidates) == [
        f"base: 8 of 8 replies have no text (8 x {CUT}); "
        "8 of 8 replies are unrated: adherence lies between 0.00 and 1.00, whatever they are like; "
        "8 of 8 replies came with thoughts, which nobody heard or rated"
    ]
    print_summary(results, tmp_path)
    assert f"8 of 8 replies have no text (8 x {CUT})" in " ".join(capsys.readouterr().out.split())
    text = write_report(tmp_path / "report.html", results, held, PERSONAS).read_text(encoding="utf-8")
    assert "No reply could be rated." in text
    assert '<ul class="cards">' not in text  # of dashes
    assert "8 of 8 replies have no text" in text
    assert f"[no answer: {CUT}]" in text


def test_cut_replies_are_taken_and_that_is_said_without_saying_that_they_were_rated():
    spoken = conversation("base", "p0", [0.9] * 4, max_turns=4)
    turns = [replace(turn, outcome="cut" if turn.turn > 2 else "answered") for turn in spoken.turns]
    results = build([replace(spoken, turns=tuple(turns))])
    assert results.candidates["base"].outcomes == {"answered": 2, "cut": 2}
    assert results.candidates["base"].adherence_by_turn[3].n == 1
    assert outcome_lines(results.candidates) == [
        "base: 2 of 4 replies are taken as they came (2 x cut off at max_tokens)"
    ]


def test_plain_answers_need_no_word():
    results = build([conversation("base", "p0", [0.9] * 4, max_turns=4)])
    assert outcome_lines(results.candidates) == []
