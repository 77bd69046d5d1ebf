"""How the users of a source talk: length, questions, repetition, emotion, cooperation, and answers from the story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from holdfast.agents.sentence_frames import blanked, blanked_frames
from holdfast.agents.users.reply_cues import share_named
from holdfast.agents.users.rules.natural import facts_asked
from holdfast.agents.users.rules.reply_acts import acts_of
from holdfast.core.seeds import derive_seed
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import Resamples, ratio_interval
from holdfast.simulator.measure.estimates import MeanEstimate, estimate
from holdfast.simulator.measure.text.realism import Realism, agrees
from holdfast.simulator.realism.model import SourceHabits
from holdfast.simulator.realism.talks import TalkSource, UserTalk
from holdfast.simulator.records import TurnRecord
from holdfast.simulator.results.simulators import persona_words

Counted = Callable[[UserTalk], tuple[float, float]]
"""A conversation -> how often it was so, and how often it could have been."""

ANSWERED = 0.5  # share of a wording's content words that an answer has
ONE_TURN = "no conversation has two turns"


def habits_of(sources: Sequence[TalkSource], seed: int) -> list[SourceHabits]:
    """Measure each source; cosines weigh words by all sources together, so that they compare."""
    talks = [talk for source in sources for talk in source.talks]
    about = ["" if talk.persona is None else persona_words(talk.persona) for talk in talks]
    lexical = Realism.of([talk.messages for talk in talks], about)
    ends = np.cumsum([len(source.talks) for source in sources]).tolist()
    return [
        _source(source, lexical, slice(end - len(source.talks), end), seed)
        for source, end in zip(sources, ends, strict=True)
    ]


def _source(source: TalkSource, lexical: Realism, rows: slice, seed: int) -> SourceHabits:
    talks = source.talks
    rng = np.random.default_rng(derive_seed(seed, "habits", source.name))
    resamples = Resamples.of([talk.person for talk in talks], rng)

    def share(counted: Counted) -> MeanEstimate | None:
        counts = np.array([counted(talk) for talk in talks], dtype=np.float64).reshape(-1, 2)
        if not counts[:, 1].any():
            return None
        return MeanEstimate.model_validate(ratio_interval(counts[:, 0], counts[:, 1], resamples))

    def lexical_mean(values: Floats) -> MeanEstimate:
        return estimate(values[rows], resamples)

    optional: dict[str, Any] = {
        "emotion_carry": share(emotion_carry),
        "intention_again": share(_intention_again),
        "over_cooperation": share(over_cooperation),
        "prompt_to_line": lexical_mean(lexical.prompt_to_line) if source.simulated else None,
        "answers": share(answers),
    }
    lacking = _lacking(source)
    names = ("line_to_line", "stickiness", "stickiness_by_chance", "words", "agreeable", "distinct")
    figures = {**{name: lexical_mean(getattr(lexical, name)) for name in names}, **optional}
    return SourceHabits(
        name=source.name,
        simulated=source.simulated,
        people=source.people,
        conversations=len(talks),
        messages=sum(len(talk.messages) for talk in talks),
        questions=estimate(np.array([_questions(talk) for talk in talks]), resamples),
        frames=distinct_frames(talks),
        missing={name: lacking[name] for name, figure in figures.items() if figure is None or figure.mean is None},
        **figures,
    )


def _lacking(source: TalkSource) -> dict[str, str]:
    """Return why each figure is missing, where it is: what a log does not say, or what did not happen in a run."""
    talks, real = source.talks, not source.simulated
    short = all(len(talk.messages) < 2 for talk in talks)
    story = any(talk.persona is not None and talk.persona.story is not None for talk in talks)
    emotion = "no conversation has three turns"
    if any(len(talk.emotions) > 2 for talk in talks):
        emotion = "no emotion changes in a conversation of three turns or more"
    elif real:
        emotion = "no conversation of three turns or more says an emotion of every turn"
    poor = ONE_TURN if short else "no reply before another message was disqualified or passed over what was said"
    asked = ONE_TURN if short else "no reply before another message asked for a fact of a story"
    return {
        **dict.fromkeys(("line_to_line", "stickiness", "stickiness_by_chance"), ONE_TURN),
        "emotion_carry": emotion,
        "intention_again": "a log does not say what a message was meant to do" if real else ONE_TURN,
        "over_cooperation": "nobody judged a log's replies" if real else poor,
        "prompt_to_line": "a real person has no persona's text",
        "answers": "a log names no persona with a story" if real else asked if story else "no persona has a story",
    }


def emotion_carry(talk: UserTalk) -> tuple[float, float]:
    """Return the sum of products of neighbouring changes of emotion, and the mean of their two sums of squares."""
    changes = np.diff(np.array(talk.emotions, dtype=np.float64))
    if len(changes) < 2:
        return 0.0, 0.0
    return float(changes[:-1] @ changes[1:]), float(changes[:-1] @ changes[:-1] + changes[1:] @ changes[1:]) / 2


def over_cooperation(talk: UserTalk) -> tuple[float, float]:
    """Return how many messages agree or thank right after a poor reply, and how many follow one.

    Poor is a reply that the gate disqualified, or that passed over what the user had said (by the user's own rules).
    """
    after_poor = [after.user for before, after in _neighbours(talk) if _poor(before)]
    return sum(map(agrees, after_poor)), len(after_poor)


def answers(talk: UserTalk) -> tuple[float, float]:
    """Return how many questions of replies about facts of the story the next message answers, of how many."""
    story = None if talk.persona is None else talk.persona.story
    if story is None:
        return 0.0, 0.0
    answered = [
        max(share_named(after.user, wording) for fact in asked for wording in fact.says) >= ANSWERED
        for before, after in _neighbours(talk)
        if (asked := facts_asked(story, acts_of(before.reply).questions))
    ]
    return sum(answered), len(answered)


def distinct_frames(talks: Sequence[UserTalk]) -> int:
    """Count different sentence frames; what a persona fills into sentences stands for a blank."""
    phrases: dict[str, list[str]] = {}
    for talk in talks:
        if (persona := talk.persona) is not None and persona.id not in phrases:
            goals = [phrase for goal in persona.goals for phrase in (goal.need, goal.topic)]
            phrases[persona.id] = sorted({*persona.feelings, *persona.topics, *goals}, key=len, reverse=True)
    frames = set()
    for talk in talks:
        own = phrases[talk.persona.id] if talk.persona is not None else []
        frames |= {frame for message in talk.messages for frame in blanked_frames(blanked(message, own))}
    return len(frames)


def _questions(talk: UserTalk) -> float:
    return float(np.mean(["?" in message for message in talk.messages])) if talk.messages else np.nan


def _intention_again(talk: UserTalk) -> tuple[float, float]:
    pairs = _neighbours(talk)
    return sum(before.said.kind == after.said.kind for before, after in pairs), len(pairs)


def _neighbours(talk: UserTalk) -> list[tuple[TurnRecord, TurnRecord]]:
    return list(pairwise(talk.episode.turns)) if talk.episode is not None else []


def _poor(turn: TurnRecord) -> bool:
    return turn.primary.disqualified is not None or turn.state.get("ignored", 0) > 0
