"""Raters by word, as the command line names them: fitted ones, reward models, judges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holdfast.adapters.micro import base_path
from holdfast.agents.raters.judge.chat_model import LOCAL, PROVIDERS, Here, chat_model
from holdfast.agents.raters.protocol import EXPRESSED, Scale, Rater
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote

WORDS = ("linear", "FOLDER of a fitted rater", "reward:DIR", "openai:NAME", "langchain:PROVIDER:NAME")
MODELS_HERE = ("hf:NAME_OR_PATH", "micro")


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How judges are asked; see :class:`holdfast.agents.raters.judge.rater.JudgeRater`."""

    scale: Scale = EXPRESSED
    samples: int = 1
    base_url: str | None = None
    base: str = "micro"  # what a reward model sits on
    dtype: str | None = None  # of a judge of this machine
    device: str | None = None
    temperature: float | None = None  # None: 0 for one sample, else .7, so that samples can differ
    max_tokens: int = 512
    timeout: float = 60.0
    history: int | None = None
    descriptive: bool = False
    structured: bool = True
    concurrency: int = 8


def named_raters(words: Iterable[str], settings: JudgeSettings) -> dict[str, Rater]:
    """The rater that each word names. Raises InputError as :func:`named_rater` does, and where the keys of several
    providers would go to one ``base_url``.
    """
    named = tuple(dict.fromkeys(words))
    kinds = [kind for kind in PROVIDERS if any(word.startswith(f"{kind}:") for word in named)]
    if settings.base_url is not None and len(kinds) > 1:
        raise InputError(f"--base-url: judges of {' and '.join(kinds)} are not at one server; ask one kind at a time")
    return {word: named_rater(word, settings) for word in named}


def named_rater(word: str, settings: JudgeSettings) -> Rater:
    """The rater that ``word`` names. Raises InputError for an unknown word, or one that knows no such scale."""
    kind, _, rest = word.partition(":")
    if kind in (*PROVIDERS, *LOCAL):
        return _judge(word, settings)
    if word == "linear" or Path(word).expanduser().is_dir():
        return _fitted(word, settings.scale)
    if kind == "reward" and rest.strip():
        return _reward(Path(rest.strip()).expanduser(), settings.base)
    hint = did_you_mean(kind, ("linear", "reward", *PROVIDERS, *LOCAL))
    raise InputError(f"unknown rater {quote(word)}; allowed: {', '.join((*WORDS, *MODELS_HERE))}{hint}")


def _judge(word: str, settings: JudgeSettings) -> Rater:
    from holdfast.agents.raters.judge.rater import JudgeRater

    temperature = settings.temperature
    if temperature is None:
        temperature = 0.0 if settings.samples == 1 else 0.7
    model = chat_model(
        word,
        settings.base_url,
        temperature=temperature,
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
        here=Here(base_path(), settings.dtype, settings.device, settings.concurrency),
    )
    return JudgeRater(
        model,
        settings.scale,
        word,
        samples=settings.samples,
        history=settings.history,
        descriptive=settings.descriptive,
        structured=settings.structured,
        concurrency=settings.concurrency,
        decoding=f"temperature={temperature:g}",
    )


def _reward(folder: Path, base: str) -> Rater:
    from holdfast.adapters.training.store import weights_sha256
    from holdfast.agents.models.opening import local_reference
    from holdfast.agents.raters.reward import RewardRater

    path = local_reference(base, base_path()).path
    rater = RewardRater.load(folder, path)
    if rater.base_sha256 != weights_sha256(path):
        raise InputError(f"{folder}: trained on other weights than those in {path}; name its base with --base")
    return rater


def _fitted(word: str, scale: Scale) -> Rater:
    """A rater that was fitted on human labels: the shipped one for the scale, or one in a folder."""
    from holdfast.agents.raters.by_name import scale_raters

    raters = scale_raters(word)
    if scale.id not in raters:
        raise InputError(
            f"{word} knows no scale {scale.id}; it knows {', '.join(sorted(raters))}: take one with --scale"
        )
    return raters[scale.id]
