"""Raters as command lines name them: a word, or a mapping as YAML writes it, with a command's options filled in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.errors import InputError
from holdfast.core.wording import describe_value, first_line
from holdfast.simulator.cli.console import FiniteRange

if TYPE_CHECKING:
    from holdfast.agents.raters.specs import RaterSpec

SCALES = ("expressed", "perceived", "acts", "felt")
FITTED = tuple(scale for scale in SCALES if scale != "acts")  # those that raters are fitted on
HELP = "A rater or a judge: linear, a FOLDER, reward:DIR, openai:NAME, …, or '{kind: judge, model: …, base_url: …}'."
OWN_KEY = "HOLDFAST_API_KEY"  # sent to a server of one's own
PATIENCE_S = 30.0  # how long a judge's server may be away: somebody sits before this command
RETRIES = 2
_SECONDS = FiniteRange(min=0.1)
_AT_ONCE, _NO_SCHEMA = "Requests at once.", "Ask without a JSON schema of the answer."


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command that asks a judge: ``timeout_s``, ``concurrency`` and ``structured``."""
    for option in (
        click.option("--no-schema", "structured", flag_value=False, default=True, help=_NO_SCHEMA),
        click.option("--concurrency", type=click.IntRange(1, 512), default=8, show_default=True, help=_AT_ONCE),
        click.option("--timeout", "timeout_s", type=_SECONDS, default=60.0, show_default=True, help="Seconds."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class RaterOptions:
    """What a command's options say about its raters; None and empty leave a spec's own defaults."""

    scale: str | None = None
    base: str | None = None  # what a reward model sits on
    base_url: str | None = None
    timeout_s: float = 60.0
    dtype: str | None = None  # of a judge of this machine
    device: str | None = None
    judge: Mapping[str, Any] = field(default_factory=dict)  # fields of JudgeSpec


def rater_specs(
    words: Iterable[str], options: RaterOptions | None = None, given_by: str = "--rater"
) -> tuple[RaterSpec, ...]:
    """Return the raters that ``words`` name, each once, under the words as names. ``given_by``: what gave them.

    Raises:
        InputError: a word that means nothing, two raters of one name, or the keys of several providers would go to one
            ``base_url``.
    """
    from pydantic import ValidationError

    from holdfast.agents.raters.registry import mapping_of, parse_rater, require_unique

    options = options or RaterOptions()
    words = tuple(dict.fromkeys(words))
    try:
        data = [_from_yaml(word) if word.startswith("{") else {"name": word, **mapping_of(word)} for word in words]
        _require_one_provider(data, options)
        specs = tuple(parse_rater(_filled_in(each, options)) for each in data)
        require_unique(specs)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = "is missing; add it" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
        raise InputError(f"{given_by}: {place}: {message}" if place else f"{given_by}: {message}") from None
    except ValueError as error:
        raise InputError(f"{given_by}: {error}") from None
    return specs


def _from_yaml(text: str) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"no mapping as YAML writes it ({first_line(error)})") from None
    if not isinstance(data, dict):
        raise ValueError(f"expected a mapping with 'kind', got {describe_value(data)}")
    return data


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _filled_in(data: dict[str, Any], options: RaterOptions) -> dict[str, Any]:
    if data.get("kind") == "reward":
        return _given(base=options.base) | data
    if data.get("kind") != "judge":
        return _given(scale=options.scale) | data
    filled = {**_given(scale=options.scale), **options.judge, **data}
    if isinstance(data.get("model"), str):
        filled["model"] = _model(data["model"], options) | {key: data[key] for key in ("base_url",) if key in data}
    return filled


def _model(ref: str, options: RaterOptions) -> dict[str, Any]:
    """The settings that this kind of model has."""
    from holdfast.agents.models.spec import is_local

    if is_local(ref):
        return _given(ref=ref, dtype=options.dtype, device=options.device)
    model = _given(ref=ref, timeout_s=options.timeout_s, retries=RETRIES, base_url=options.base_url)
    if ref.startswith("openai:"):
        model["patience_s"] = PATIENCE_S
        if options.base_url is not None and os.environ.get(OWN_KEY):
            model["api_key_env"] = OWN_KEY
    return model


def _require_one_provider(data: Iterable[Mapping[str, Any]], options: RaterOptions) -> None:
    from holdfast.agents.models.spec import is_local

    models = [str(each["model"]) for each in data if each.get("kind") == "judge" and isinstance(each.get("model"), str)]
    kinds = {"openai" if ref.startswith("openai:") else "langchain" for ref in models if not is_local(ref)}
    if options.base_url is not None and len(kinds) > 1:
        raise ValueError("--base-url: judges of openai and langchain are not at one server; ask one kind at a time")
