"""What a user agent's intention sounds like: a small grammar of user messages.

The frames stand in ``phrases.yaml``. The embedded base model meets the same kinds of messages in its training world,
filled with other feelings, topics and needs.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

import yaml

from agents.protocols import Said

Tone = Literal["plain", "warm", "terse", "chatty", "curt"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One way to put an intention, and the slots that it speaks of."""

    text: str
    slots: frozenset[str]


@dataclass(frozen=True, slots=True)
class ToneWords:
    """What a tone adds around a frame, and how often (a probability)."""

    chance: float
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The whole phrase file."""

    frames: dict[str, tuple[Frame, ...]]
    tones: dict[str, ToneWords]


def say(said: Said, tone: Tone, seed: int) -> str:
    """One user message of one to three short sentences for this intention; the same seed gives the same words."""
    rng = random.Random(seed)
    phrases = load_phrases()
    sentence = _fill(rng.choice(_fitting(phrases.frames[said.kind], said)).text, said)
    if said.kind == "close":
        return sentence
    words = phrases.tones[tone]
    if rng.random() >= words.chance:
        return sentence
    if rng.random() < 0.5:
        return f"{rng.choice(words.before)} {sentence}"
    return f"{sentence} {rng.choice(words.after)}"


@cache
def load_phrases() -> Phrases:
    """The phrase file of this package, read once."""
    raw = yaml.safe_load(files("agents.users").joinpath("phrases.yaml").read_text(encoding="utf-8"))
    frames = {kind: tuple(_frame(text) for text in texts) for kind, texts in raw["frames"].items()}
    tones = {
        name: ToneWords(float(tone["chance"]), tuple(tone["before"]), tuple(tone["after"]))
        for name, tone in raw["tones"].items()
    }
    return Phrases(frames, tones)


def _frame(text: str) -> Frame:
    names = {name.lower() for _, name, _, _ in string.Formatter().parse(text) if name}
    return Frame(text, frozenset(names))


def _fitting(frames: tuple[Frame, ...], said: Said) -> tuple[Frame, ...]:
    """The frames that say most of what is known, and nothing that is not."""
    known = {slot for slot in ("feeling", "topic", "need") if getattr(said, slot)}
    possible = [frame for frame in frames if frame.slots <= known]
    most = max((len(frame.slots) for frame in possible), default=-1)
    if most < 0:
        raise ValueError(f"nothing to say for {said}: this kind of message needs a feeling, a topic or a need")
    return tuple(frame for frame in possible if len(frame.slots) == most)


def _fill(text: str, said: Said) -> str:
    topic = said.topic or ""
    values = {
        "feeling": said.feeling or "",
        "topic": topic,
        "Topic": topic[:1].upper() + topic[1:],
        "need": said.need or "",
    }
    return cast(str, text.format_map(values))
