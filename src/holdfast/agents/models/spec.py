"""Model specs in YAML: a reference such as ``micro``, or a mapping with ``ref`` and settings.

Keys come from the environment only; one that is written into YAML is refused without being repeated.
"""

import datetime
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue, PlainSerializer, PlainValidator

from holdfast.agents.models.addresses import address_fault
from holdfast.agents.models.packaged import PACKAGED
from holdfast.agents.models.reference_syntax import WORDS, split_reference
from holdfast.core.wording import describe_value
from holdfast.personas.schema import Frozen

#: Names under which people write keys, and what keys of well-known services look like.
_KEY_NAMES = re.compile(
    r"key|token|bearer|([\w-]*[-_])?(api[-_]?key|(access|auth|ad|id|session|refresh)[-_]?token|secret|password|authorization)",
    re.IGNORECASE,
)
_LIKE_A_KEY = re.compile(
    r"\b(sk|pk|rk|gsk|hf|xai|nvapi|r8|fw|tgp|lsv2)[-_][\w-]{8,}|\bAIza[\w-]{16,}|\bbearer\s+\S+", re.I
)
_IN_URL = re.compile(r"^\w+://[^/@]+@")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,60}")
_NO_VARIABLE = "api_key_env names an environment variable in capitals, such as MY_KEY; a key itself has no place here"
_NO_KEY = (
    "a key stands here; keys are taken from the environment only: remove it, and set OPENAI_API_KEY or name a "
    "variable of your own with 'api_key_env: NAME'"
)

#: Settings that change how a model is reached and how fast, but not its replies.
WITHOUT_EFFECT = frozenset(
    (
        *("base_url", "api_key_env", "served_as", "load_adapters", "timeout_s", "concurrency"),
        *("retries", "retry_budget", "patience_s", "wait_s", "prices", "cache"),
    )
)
#: Fields of a request that a study has other places for, or that would change what an answer is.
_OUR_FIELDS = {
    "messages": "the conversation makes them",
    "model": "it stands in 'ref'",
    "stream": "answers are read whole",
    "stream_options": "answers are read whole",
    "n": "one answer is read",
    "prompt": "the conversation makes the messages",
    "input": "the conversation makes the messages",
}


def _no_field_of_ours(name: str) -> str:
    if name in _OUR_FIELDS:
        raise ValueError(f"'extra' may not set {name!r}: {_OUR_FIELDS[name]}; remove it")
    return name


def _checked_address(url: str) -> str:
    fault = address_fault(url)
    if fault is not None:
        raise ValueError(fault)
    return url


def _one_placeholder(name: str) -> str:
    """Only the plain placeholder is replaced: format specs could ask for a gigabyte, attributes for anything."""
    if name.count("{adapter}") != 1 or re.search(r"[{}]", name.replace("{adapter}", "")):
        raise ValueError("text with {adapter} once, where the adapter's name goes, and no other braces is needed")
    return name


ServedAs = Annotated[str, Field(max_length=400), AfterValidator(_one_placeholder)]
ExtraField = Annotated[str, AfterValidator(_no_field_of_ours)]
BaseUrl = Annotated[str, AfterValidator(_checked_address)]


#: What a chat template that asks for the date is told where ``date`` is not given: the same words tomorrow.
TODAY = datetime.date(2025, 1, 1)


class Prices(Frozen):
    """US dollars per million tokens."""

    prompt: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    completion: Annotated[float, Field(ge=0, le=1e9)] = 0.0


class ModelSpec(Frozen):
    """A model reference and its settings. Those after ``extra`` are for endpoints."""

    ref: Annotated[str, Field(max_length=400)]  # see holdfast.agents.models.reference_syntax
    dtype: Annotated[str, Field(pattern=r"^[a-z]+[0-9]*$")] | None = (
        None  # hf: a torch type; as the files say where None
    )
    device: Annotated[str, Field(pattern=r"^[a-z]+(:[0-9]+)?$")] | None = None  # cpu, cuda, cuda:1, mps, auto
    reproducible: bool = False  # micro, smollm2, hf: the same bytes in float32 too, whatever shares a batch; on the CPU
    date: datetime.date | None = None  # hf: what a chat template that asks for the date is told; None: TODAY
    system: Literal["send", "fold"] = "send"  # hf, openai: fold puts system messages into the user's
    extra: dict[ExtraField, JsonValue] = Field(default_factory=dict)  # of every request (null: left out); LangChain's
    base_url: BaseUrl | None = None
    api_key_env: Annotated[str, Field(min_length=1)] | None = None  # the environment variable that holds the key
    served_as: ServedAs = "{adapter}"  # the name that an adapter is served under
    load_adapters: bool = False  # hand the study's adapters to a vLLM server through /v1/load_lora_adapter
    timeout_s: Annotated[float, Field(gt=0, le=1e9)] = 120.0  # of one attempt, to its last byte
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 256  # most requests in flight
    retries: Annotated[int, Field(ge=0, le=100)] = 6  # of one request
    retry_budget: Annotated[int, Field(ge=0)] = 10_000  # of all requests of a run together
    patience_s: Annotated[float, Field(ge=0, le=1e9)] = 600.0  # how long an endpoint that has answered may be away
    wait_s: Annotated[float, Field(ge=0, le=1e9)] = 0.0  # how long one that still loads is waited for
    prices: Prices | None = None
    cache: Annotated[str, Field(min_length=1, max_length=4000)] | None = None  # a file that caches answers

    @property
    def key(self) -> str:
        """A string that equal specs share: the reference alone, or JSON."""
        return self.ref if len(self.short) == 1 else json.dumps(self.short, sort_keys=True)

    @property
    def short(self) -> dict[str, Any]:
        """The settings that differ from the defaults."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, and so loads its own adapters."""
        return is_local(self.ref)

    @property
    def in_words(self) -> str:
        """The reference or what it is the word for, and where it is served, for messages and reports."""
        name = PACKAGED[self.ref].title if self.ref in PACKAGED else self.ref
        return name if self.base_url is None else f"{name} at {self.base_url}"

    def __hash__(self) -> int:
        return hash(self.key)


def is_local(ref: str) -> bool:
    """Return whether a reference is of a model that runs on this machine."""
    return ref in WORDS or ref.startswith("hf:")


def parse_model(value: object) -> ModelSpec:
    """Parse a reference or a mapping.

    Raises:
        ValueError: it is neither, or holds a key; the message says what is allowed.
    """
    if isinstance(value, ModelSpec):
        return value
    if any(_is_key(name, text) for name, text in _texts("", value)):
        raise ValueError(_NO_KEY)
    data = {"ref": value} if isinstance(value, str) else value
    if isinstance(data, dict) and isinstance(data.get("ref"), str):
        split_reference(data["ref"].strip())
    if not isinstance(data, dict):
        raise ValueError(f"a model is a word such as micro, or a mapping with 'ref', got {describe_value(value)}")
    variable = data.get("api_key_env")
    if variable is not None and not (isinstance(variable, str) and _VARIABLE.fullmatch(variable)):
        raise ValueError(_NO_VARIABLE)
    return ModelSpec.model_validate_json(json.dumps(data, default=_iso), strict=True)


def _iso(value: object) -> str:
    """Return a date as JSON has it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise ValueError(f"a model's settings are texts, numbers and dates, got {describe_value(value)}")


def parse_words(ref: str, base_url: str | None) -> ModelSpec:
    """Parse the options of a command line.

    Raises:
        ValueError: they are wrong; the message repeats no key.
    """
    fault = None if base_url is None else address_fault(base_url)
    if fault is not None:
        raise ValueError(f"its base_url: {fault}")
    return parse_model({"ref": ref} | ({} if base_url is None else {"base_url": base_url}))


def written(spec: ModelSpec) -> str | dict[str, Any]:
    """Return the spec as YAML writes it: the reference alone where all settings are defaults."""
    return spec.ref if len(spec.short) == 1 else spec.short


def effect(written_spec: object) -> object:
    """Return the part of a written spec that transcripts depend on: not the address of a server, for instance."""
    if not isinstance(written_spec, dict):
        return written_spec
    kept = {name: value for name, value in written_spec.items() if name not in WITHOUT_EFFECT}
    return kept["ref"] if len(kept) == 1 else kept


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield every text inside ``value`` with the key that it stands under."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _texts(str(key), inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from _texts(name, inside)
    elif isinstance(value, str):
        yield name, value


def _is_key(name: str, text: str) -> bool:
    named = _KEY_NAMES.fullmatch(name.removeprefix("x-")) is not None
    return named or _LIKE_A_KEY.search(text) is not None or _IN_URL.match(text) is not None


AnyModelSpec = Annotated[
    ModelSpec,
    PlainValidator(parse_model, json_schema_input_type=str | ModelSpec),
    PlainSerializer(written),
]
"""The type of a study's model field: parses references and mappings, and serialises them."""
