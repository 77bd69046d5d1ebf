"""The grammar that turns an intention into a user message, and the tone in which a user speaks.

Its sentence templates are in ``personas/phrases/LANG.yaml``. The embedded base model was trained on the same kinds of
messages with other feelings, topics and needs.
"""

import random
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from holdfast.agents.frames import Frame, fullest
from holdfast.agents.users.protocol import Intention, UserState
from holdfast.personas.schema import Persona

Tone = Literal["plain", "warm", "terse", "chatty", "curt"]

#: The user turns curt below this emotion (0-100), or after this many poor turns in a row.
CURT_EMOTION = 22.0
CURT_POOR_TURNS = 3
#: Unless the last turn was poor, the user turns warm from this emotion on, less up to WARMTH_EASES by temperament.
WARM_EMOTION = 75.0
WARMTH_EASES = 20.0


@dataclass(frozen=True, slots=True)
class ToneWords:
    """Words that a tone adds before or after a sentence, and the probability that it does."""

    chance: float
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The parsed phrase file."""

    frames: dict[str, tuple[Frame, ...]]
    tones: dict[str, ToneWords]


def say(said: Intention, tone: Tone, seed: int, language: str = "en") -> str:
    """Return a user message of one to three short sentences; the same seed gives the same words.

    ``language``: one that :func:`languages` has.

    Raises:
        ValueError: An intention to feel, ask or tell lacks its feeling, need or topic.
    """
    rng = random.Random(seed)
    phrases = load_phrases(language)
    values = {slot: value for slot in ("feeling", "topic", "need") if (value := getattr(said, slot))}
    frames = _fitting_frames(said.kind, tuple(values), language)
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
def _fitting_frames(kind: str, slots: tuple[str, ...], language: str) -> tuple[Frame, ...]:
    return fullest(load_phrases(language).frames[kind], slots)


def phrases_text(language: str = "en") -> str:
    """Return a language's phrase file as it is written."""
    return files("holdfast.personas").joinpath(f"phrases/{language}.yaml").read_text(encoding="utf-8")


@cache
def load_phrases(language: str = "en") -> Phrases:
    """Read a language's phrase file once."""
    raw = yaml.safe_load(phrases_text(language))
    frames = {kind: tuple(map(Frame.parse, texts)) for kind, texts in raw["frames"].items()}
    tones = {
        name: ToneWords(float(tone["chance"]), tuple(tone["before"]), tuple(tone["after"]))
        for name, tone in raw["tones"].items()
    }
    return Phrases(frames, tones)


def tone_of(persona: Persona, state: UserState) -> Tone:
    """Return curt when emotion is low or turns were poor, warm when it is high, else the persona's own tone.

    A persona that speaks warmly turns plain, not curt, on low emotion alone: only poor turns make it curt.
    """
    if state.poor_turns >= CURT_POOR_TURNS:
        return "curt"
    if state.emotion < CURT_EMOTION:
        return "plain" if persona.speech == "warm" else "curt"
    if state.poor_turns == 0 and state.emotion >= WARM_EMOTION - WARMTH_EASES * persona.temperament.warmth:
        return "warm"
    return persona.speech
