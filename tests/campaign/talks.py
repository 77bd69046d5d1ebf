"""A conversation with a real endpoint whose every answer is known, and all that must follow from what was said."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from holdfast import Run, Study
from holdfast.agents.protocols import Message
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage
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


@cache
def rated(user: str, reply: str) -> tuple[float, ...]:
    """What the shipped rater gives this reply to this message; nan where it cannot read it."""
    (rating,) = asyncio.run(LinearRater().rate([Passage((Message("user", user), Message("assistant", reply)))]))
    return rating.levels(EXPRESSED.dimensions)


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
    for turn, line in zip(episode.turns, lines, strict=True):
        what = f"turn {turn.turn} after {str(line.message)[:300]!r}"
        equal(turn.reply, line.speech, f"{what}: reply")
        equal(turn.thoughts, line.thoughts, f"{what}: thoughts")
        equal(turn.outcome, line.outcome, f"{what}: outcome")
        equal(turn.tokens, line.tokens, f"{what}: tokens")
        check_rating(turn)


def check_rating(turn: TurnRecord) -> None:
    """The rating is that of the speech; without speech there is none, and a reason."""
    levels = turn.primary.levels(EXPRESSED.dimensions)
    if turn.reply.strip():
        expected = rated(turn.user, turn.reply)
    else:
        expected = (math.nan,) * 3
        holds(
            (turn.primary.missing or "").startswith("no answer: "), f"why turn {turn.turn} is unrated: {turn.primary}"
        )
    holds(all(map(same_figure, levels, expected)), f"turn {turn.turn}: rated {levels}, expected {expected}")


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
    """1 - the mean distance from the target, in widths of the scale (2)."""
    return 1 - sum(abs(turn.primary.values.get(name, math.nan) - target[name]) / 2 for name in target) / len(target)


def assert_nowhere(folder: Path, secret: str) -> None:
    """No file holds the secret, plain or in another spelling."""
    for path in folder.rglob("*"):
        if path.is_file():
            holds(secret.encode() not in path.read_bytes(), f"a secret stands in {path.name}")
