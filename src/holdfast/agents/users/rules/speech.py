"""What a user agent's intention sounds like: a small grammar of user messages.

The frames stand in ``personas/phrases/en.yaml``. The embedded base model meets the same kinds of messages in its training world,
filled with other feelings, topics and needs.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from holdfast.agents.frames import Frame, fullest
from holdfast.agents.protocols import Intention

Tone = Literal["plain", "warm", "terse", "chatty", "curt"]


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


def say(said: Intention, tone: Tone, seed: int) -> str:
    """One user message of one to three short sentences for this intention; the same seed gives the same words.

    Raises ValueError where nothing can be said: an intention to feel, ask or tell without its feeling, need or topic.
    """
    rng = random.Random(seed)
    phrases = load_phrases()
    values = {slot: value for slot in ("feeling", "topic", "need") if (value := getattr(said, slot))}
    frames = _sayable(said.kind, tuple(values))
    if not frames:
        raise ValueError(f"nothing to say for {said}: this kind of message needs a feeling, a topic or a need")
    sentence = rng.choice(frames).fill(values)
    words = phrases.tones[tone]
    if said.kind == "close" or rng.random() >= words.chance:
        return sentence
    if rng.random() < 0.5 and said.kind != "open":  # a greeting comes first
        return f"{rng.choice(words.before)} {sentence}"
    return f"{sentence} {rng.choice(words.after)}"


@cache
def _sayable(kind: str, slots: tuple[str, ...]) -> tuple[Frame, ...]:
    return fullest(load_phrases().frames[kind], slots)


@cache
def load_phrases() -> Phrases:
    """The phrase file of this package, read once."""
    raw = yaml.safe_load(files("holdfast.personas").joinpath("phrases/en.yaml").read_text(encoding="utf-8"))
    frames = {kind: tuple(map(Frame.parse, texts)) for kind, texts in raw["frames"].items()}
    tones = {
        name: ToneWords(float(tone["chance"]), tuple(tone["before"]), tuple(tone["after"]))
        for name, tone in raw["tones"].items()
    }
    return Phrases(frames, tones)
