"""A conversation with a real endpoint whose every answer is known, and all that must follow from what was said."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from holdfast import Run, Study
from holdfast.agents.protocols import Message
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rating
from holdfast.simulator.records import EpisodeRecord, TurnRecord
from tests.campaign.tries import equal, holds, same_figure
from tests.servers.raw_server import RawServer, Script, response
from tests.servers.threaded import running

PEOPLE = ("jun_park", "amara_okafor", "diego_fuentes", "samira_haddad")


@dataclass(frozen=True)
class Line:
    """An answer of the endpoint, and what it comes to. ``more``: fields of the answer beside its choice."""

    message: Any
    speech: str
    thoughts: str = ""
    outcome: str = "answered"
    choice: Mapping[str, Any] = field(default_factory=lambda: {"finish_reason": "stop"})
    more: Mapping[str, Any] = field(default_factory=dict)
    tokens: tuple[int, int] = (0, 0)

    @property
    def body(self) -> bytes:
        """The whole answer."""
        choice = {"index": 0, "message": self.message, **self.choice}
        return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice], **self.more}).encode()


Chat = Sequence[tuple[str, str]]  # a user's message and the reply to it, each


def rated(chat: Chat) -> list[Rating]:
    """What the shipped rater says of each reply behind its gate, given the conversation up to it."""
    return [_rated(tuple(chat[: number + 1])) for number in range(len(chat))]


@cache
def _rated(chat: tuple[tuple[str, str], ...]) -> Rating:
    said = [pair for turn in chat for pair in zip(("user", "assistant"), turn, strict=True)]
    passage = Passage(tuple(Message(role, text) for role, text in said))  # type: ignore[arg-type]
    (rating,) = asyncio.run(GatedRater(LinearRater()).rate([passage]))
    return rating


def expressed_mean(chats: Iterable[Chat]) -> float:
    """The mean level of expressed empathy: over the replies of each conversation that count, then over these."""
    means = []
    for chat in chats:
        levels = [sum(rating.counted.values()) / 3 for rating in rated(chat) if rating.counted]
        means += [sum(levels) / len(levels)] if levels else []
    return sum(means) / len(means) if means else math.nan


def settings(url: str, turns: int, **more: Any) -> dict[str, Any]:
    """One conversation of so many turns with the model at ``url``."""
    model = {"ref": "openai:m", "base_url": url, **more.pop("model", {})}
    return {"model": model, "personas": {"ids": [PEOPLE[0]]}, "candidates": ["base"], "turns": turns, **more}


def study_file(folder: Path, fields: Mapping[str, Any]) -> Path:
    """Write a study's settings as a file."""
    (folder / "study.yaml").write_text(json.dumps(fields), encoding="utf-8")
    return folder / "study.yaml"


def script_of(lines: Sequence[Line]) -> Script:
    """Answer the requests of one conversation in their order."""
    return lambda request, number: response(200, lines[min(number, len(lines) - 1)].body)


def talk(folder: Path, lines: Sequence[Line], **more: Any) -> Run:
    """Hold one conversation in which the endpoint says ``lines``, and check all that is kept and measured of it."""
    with running(RawServer(script_of(lines))) as server:
        run = Study.of(**settings(server.base_url, len(lines), **more)).run(folder / "run")
    bodies = [json.loads(request.body) for request in server.requests]
    (episode,) = run.episodes()
    equal(len(bodies), len(lines), "requests")
    check_turns(episode, lines)
    check_history(bodies, episode, lines)
    check_results(run, [episode])
    return run


def check_turns(episode: EpisodeRecord, lines: Sequence[Line]) -> None:
    """Every turn is there once, as it was said, and was rated as it was said."""
    equal(episode.error, None, "the conversation's error")
    equal([turn.turn for turn in episode.turns], list(range(1, len(lines) + 1)), "turns")
    ratings = rated([(turn.user, turn.reply) for turn in episode.turns])
    for turn, line, rating in zip(episode.turns, lines, ratings, strict=True):
        what = f"turn {turn.turn} after {str(line.message)[:300]!r}"
        equal(turn.reply, line.speech, f"{what}: reply")
        equal(turn.thoughts, line.thoughts, f"{what}: thoughts")
        equal(turn.outcome, line.outcome, f"{what}: outcome")
        equal(turn.tokens, line.tokens, f"{what}: tokens")
        if line.speech.strip():
            check_rating(turn, rating)
        else:
            check_silence(turn, line)
    check_copies(episode)


def check_rating(turn: TurnRecord, expected: Rating) -> None:
    """The rating is that of the speech in its conversation, and so are its gate's words."""
    got, what = turn.primary, f"turn {turn.turn}"
    for name in EXPRESSED.dimensions:
        figures = got.values.get(name), expected.values.get(name)
        holds(same_figure(*figures), f"{what}: {name} {figures[0]}, expected {figures[1]}")
    equal((got.disqualified, got.missing), (expected.disqualified, expected.missing), f"{what}: disqualified, missing")
    equal(got.evidence if got.disqualified else "", expected.evidence if got.disqualified else "", f"{what}: evidence")
    holds(not (got.disqualified and got.missing), f"{what} is known to fail and unknown at once: {got}")


#: The outcome of a reply without text -> how its cause begins.
CAUSES = {
    "empty": ("an empty message", "attachments only"), "tool call": ("a tool call (",),
    "cut": ("an empty message, cut off at max_tokens",), "filtered": ("filtered by the server",),
    "thoughts only": ("thoughts only",), "unknown shape": ("an unknown shape",),
}  # fmt: skip


def check_silence(turn: TurnRecord, line: Line) -> None:
    """A reply without text has no values, and its cause; it fails, unless nobody could read what was there."""
    got = turn.primary
    equal(dict(got.values), {}, f"values of silence in turn {turn.turn}")
    unread = line.outcome == "unknown shape"
    equal(got.disqualified, None if unread else "empty", f"the failure of turn {turn.turn}")
    said = (got.missing if unread else got.evidence) or ""
    causes = tuple(f"no answer: {cause}" for cause in CAUSES[line.outcome])
    holds(said.startswith(causes), f"why turn {turn.turn} has no text: {got}, expected {causes}")


def check_copies(episode: EpisodeRecord) -> None:
    """A reply of eight words or more that says the reply before it again fails."""
    spoken = [turn for turn in episode.turns if turn.reply.strip()]
    for before, turn in pairwise(spoken):
        if turn.reply == before.reply and turn.reply.isascii() and len(turn.reply.split()) >= 8:
            failures = ("copy of the reply before", "loop", "copy of the user's message")
            holds(turn.primary.disqualified in failures, f"turn {turn.turn} says turn {before.turn} again: {turn}")


def check_history(bodies: Sequence[Mapping[str, Any]], episode: EpisodeRecord, lines: Sequence[Line]) -> None:
    """Each request holds what was said before, and nothing that was only thought."""
    for number, body in enumerate(bodies):
        replies = [message["content"] for message in body["messages"] if message["role"] == "assistant"]
        spoken = [line.speech for line in lines[:number] if line.speech.strip()]
        equal(replies, spoken, f"replies in the history of turn {number + 1}")
        users = "\n\n".join(message["content"] for message in body["messages"] if message["role"] == "user")
        equal(users, "\n\n".join(turn.user for turn in episode.turns[: number + 1]), "what the user said")
        text = json.dumps(body, ensure_ascii=False)
        for line in lines[:number]:
            holds(not line.thoughts or line.thoughts not in text, f"thoughts are sent back: {line.thoughts[:200]!r}")


def check_results(run: Run, episodes: Iterable[EpisodeRecord], candidate: str = "base") -> None:
    """The figures of results.json, worked out again from the turns in plain arithmetic."""
    episodes, results = list(episodes), run.results
    about = results.candidates[candidate]
    turns = [turn for episode in episodes for turn in episode.turns]
    equal(dict(about.outcomes), dict(Counter(t.outcome for t in turns if t.reply)), "outcomes")
    equal(sum(about.silent.values()), sum(not t.reply for t in turns), "replies without text")
    equal(about.thoughtful, sum(bool(t.thoughts) for t in turns), "replies with thoughts")
    failures = Counter(t.primary.disqualified for t in turns if t.primary.disqualified)
    equal(dict(about.disqualified), dict(failures), "disqualified replies")
    equal(dict(about.unrated), dict(Counter(t.primary.missing for t in turns if t.primary.missing)), "unrated replies")
    by_turn: dict[int, list[float]] = {}
    means = []
    for episode in episodes:
        pattern = results.patterns[results.tasks[episode.spec.task].pattern]
        own = []
        for turn in episode.turns:
            value = adherence_of(turn, pattern.target)
            if not math.isnan(value):
                own.append(value)
                by_turn.setdefault(turn.turn, []).append(value)
        means += [sum(own) / len(own)] if own else []
    expected = {turn: sum(values) / len(values) for turn, values in by_turn.items()}
    shown = {point.turn: point.mean for point in about.adherence_by_turn}
    equal(sorted(shown), sorted(expected), "turns with an adherence")
    holds(
        all(same_figure(shown[turn], expected[turn]) for turn in shown),
        f"adherence by turn {shown}, expected {expected}",
    )
    mean = sum(means) / len(means) if means else math.nan
    holds(same_figure(about.adherence.mean, mean), f"adherence {about.adherence.mean}, expected {mean}")


def adherence_of(turn: TurnRecord, target: Mapping[str, float]) -> float:
    """1 - the mean distance from the target, in widths of the scale (2); 0 of a disqualified reply."""
    if turn.primary.disqualified:
        return 0.0
    return 1 - sum(abs(turn.primary.values.get(name, math.nan) - target[name]) / 2 for name in target) / len(target)


def assert_nowhere(folder: Path, secret: str) -> None:
    """No file holds the secret, plain or in another spelling."""
    for path in folder.rglob("*"):
        if path.is_file():
            holds(secret.encode() not in path.read_bytes(), f"a secret stands in {path.name}")
