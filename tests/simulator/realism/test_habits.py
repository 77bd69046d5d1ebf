"""How users talk, each figure by hand, and what a source lacks is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Intention
from holdfast.personas.loading import library
from holdfast.simulator.realism.habits import (
    ONE_TURN,
    answers,
    distinct_frames,
    emotion_carry,
    habits_of,
    over_cooperation,
)
from holdfast.simulator.realism.talks import TalkSource, UserTalk
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

JUN = library()["jun_park"]
FACT = JUN.story.facts[0]  # asked by "how long"
GOOD, BAD = {"linear": expressed(1, 1, 1)}, {"linear": Rating({}, disqualified="empty")}


def turn(number: int, user: str, reply: str, ratings: dict[str, Rating] = GOOD, ignored: int = 0) -> TurnRecord:
    return TurnRecord("e", number, user, Intention("tell"), reply, ratings, {}, 50.0, {"ignored": ignored})


def played(*turns: TurnRecord) -> UserTalk:
    episode = EpisodeRecord(EpisodeSpec("jun_park", JUN.task, "base", 1, 8), turns)
    return UserTalk("jun_park", tuple(t.user for t in turns), tuple(t.emotion for t in turns), episode, JUN)


def test_emotion_carries_over_by_hand() -> None:
    # Changes 2, 4, -1: products 8 - 4 = 4; squares of the first two 20, of the last two 17.
    assert emotion_carry(UserTalk("a", ("x",) * 4, (10, 12, 16, 15))) == (4, 18.5)
    assert emotion_carry(UserTalk("a", ("x",) * 2, (10, 12))) == (0, 0)
    assert emotion_carry(UserTalk("a", ("x",) * 3)) == (0, 0)


def test_agreeing_after_poor_replies_only_is_over_cooperation() -> None:
    talk = played(
        turn(1, "hi", "", BAD),
        turn(2, "thanks, that helps", "See a film.", ignored=1),
        turn(3, "that is not what I meant", "I see how that hurts."),
        turn(4, "thank you", "Bye."),
    )
    assert over_cooperation(talk) == (1, 2)
    assert over_cooperation(UserTalk("real", ("thanks",))) == (0, 0)


def test_questions_about_facts_are_answered_or_not() -> None:
    talk = played(
        turn(1, "hi", "How long has that been going on?"),
        turn(2, FACT.says[0], "How long, did you say?"),
        turn(3, "green bananas", "What is your favourite colour?"),
        turn(4, "blue", "I see."),
    )
    assert answers(talk) == (1, 2)
    assert answers(replace(talk, persona=JUN.model_copy(update={"story": None}))) == (0, 0)


def test_frames_differ_by_more_than_what_the_persona_fills_in() -> None:
    first, second = JUN.feelings[:2]
    talks = [played(turn(1, f"I feel {first}.", "")), played(turn(1, f"I feel {second}. It is cold.", ""))]
    assert distinct_frames(talks) == 2
    assert distinct_frames([replace(talk, persona=None) for talk in talks]) == 3


def test_a_log_lacks_what_only_a_run_knows_and_says_so() -> None:
    people = TalkSource("log", False, tuple(UserTalk(f"p{n}", ("is it me?", "ok then")) for n in range(6)))
    run = TalkSource("sim", True, tuple(replace(played(turn(1, "hi", "x"), turn(2, "is it?", "y")), person=f"s{n}")
                                        for n in range(6)))  # fmt: skip
    log, simulated = habits_of([people, run], 0)
    assert log.missing == {
        "emotion_carry": "no conversation of three turns or more says an emotion of every turn",
        "intention_again": "a log does not say what a message was meant to do",
        "over_cooperation": "nobody judged a log's replies",
        "prompt_to_line": "a real person has no persona's text",
        "answers": "a log names no persona with a story",
    }
    assert log.prompt_to_line is None
    assert (log.people, log.conversations, log.messages) == (6, 6, 12)
    assert log.questions.mean == pytest.approx(0.5)
    assert log.words.mean == pytest.approx(2.5)
    assert simulated.prompt_to_line is not None
    assert simulated.intention_again is not None
    assert simulated.intention_again.mean == 1
    assert simulated.missing == {
        "emotion_carry": "no conversation has three turns",
        "over_cooperation": "no reply before another message was disqualified or passed over what was said",
        "answers": "no reply before another message asked for a fact of a story",
    }


def test_why_a_run_lacks_a_figure_is_what_did_not_happen_in_it() -> None:
    def missing(*talks: UserTalk) -> dict[str, str]:
        (source,) = habits_of([TalkSource("sim", True, talks)], 0)
        return source.missing

    short = missing(played(turn(1, "hi", "x")))
    assert short.pop("emotion_carry") == "no conversation has three turns"
    names = {"line_to_line", "stickiness", "stickiness_by_chance", "intention_again", "over_cooperation", "answers"}
    assert short == dict.fromkeys(names, ONE_TURN)
    plain = JUN.model_copy(update={"story": None})
    three = replace(played(*(turn(n, "hi", "x") for n in (1, 2, 3))), persona=plain)
    assert missing(three)["answers"] == "no persona has a story"
    assert missing(three)["emotion_carry"] == "no emotion changes in a conversation of three turns or more"
