"""Resolve a model reference to a folder, a hub model, an endpoint or a LangChain model. Imports no torch."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from holdfast.agents.models.addresses import address_fault
from holdfast.agents.models.local.gguf import GGUF
from holdfast.agents.models.packaged import PACKAGED, PackagedModel
from holdfast.agents.models.provider_addresses import check_addresses
from holdfast.agents.models.reference_syntax import split_reference
from holdfast.agents.models.served.network import check_network
from holdfast.agents.models.spec import TODAY, ModelSpec
from holdfast.core.errors import InputError
from holdfast.core.files import expanded, is_folder
from holdfast.core.wording import quote

_EMBEDDED_NAME = "holdfast-micro"
OPENAI_URL, OPENAI_KEY = "https://api.openai.com/v1", "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class LocalReference:
    """A model folder on this machine, and how to run it. ``dtype`` "auto": as its files say.

    ``device`` None: the CPU; on a Ray cluster with GPUs, the engine's own GPU. ``today``: the date that its chat
    template is told; ``fold``: it is given system messages inside the user's. ``reproducible``: in shapes that make no
    difference (:mod:`holdfast.agents.models.local.tiles`).
    """

    word: str
    path: Path
    dtype: str = "auto"
    device: str | None = None
    today: date = TODAY
    reproducible: bool = False
    fold: bool = False

    @property
    def name(self) -> str:
        """What files call the model: a word or a name, never a path."""
        return _EMBEDDED_NAME if self.word == "micro" else self.path.name


class HubModel(NamedTuple):
    """A model of the Hugging Face hub, in the local cache or fetched when it is loaded."""

    name: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class AwayReference:
    """Weights that are brought to this machine before they are loaded, and how to run them then.

    ``source``: a model of the package index, a GGUF file (which is converted), or a model of the hub. The settings are
    those of :class:`LocalReference`.
    """

    word: str
    source: PackagedModel | Path | HubModel
    dtype: str = "auto"
    device: str | None = None
    today: date = TODAY
    reproducible: bool = False
    fold: bool = False

    def brought_to(self, folder: Path) -> LocalReference:
        """Return the reference to the same weights where they lie in ``folder``."""
        return LocalReference(self.word, folder, self.dtype, self.device, self.today, self.reproducible, self.fold)


@dataclass(frozen=True, slots=True)
class EndpointReference:
    """A served model. ``key_env``: the variable that holds its key; None: it needs none."""

    word: str
    model: str
    base_url: str
    key_env: str | None


@dataclass(frozen=True, slots=True)
class LangChainReference:
    """A model by its name for LangChain's ``init_chat_model``.

    ``key_env``: the variable that holds its key; None: the one that the provider's package reads by itself.
    """

    word: str
    name: str
    key_env: str | None = None


ModelReference = LocalReference | AwayReference | EndpointReference | LangChainReference


def resolve_model(model: ModelSpec | str, micro_path: Path) -> ModelReference:
    """Resolve ``model``. ``micro_path``: the folder of the embedded base model.

    Whether a folder holds a model is checked when it is loaded.

    Raises:
        InputError: an unknown or incomplete reference, a setting that this kind of model does not have, a key's
            variable that is not set, or a key that must not be sent where the reference says.
    """
    spec = ModelSpec(ref=model) if isinstance(model, str) else model
    word = spec.ref.strip()
    try:
        scheme, rest = split_reference(word)
    except ValueError as error:
        raise InputError(str(error)) from None
    if spec.reproducible and not (spec.local and spec.device in (None, "cpu")):
        raise InputError(f"model {quote(word)}: reproducible is for models on this machine's CPU; remove it")
    if scheme == "micro":
        _only(spec, "micro", ("dtype", "device", "reproducible"))
        reproducible = spec.reproducible
        return LocalReference(word, micro_path, spec.dtype or "float64", spec.device, reproducible=reproducible)
    if scheme in PACKAGED:
        _only(spec, scheme, ("dtype", "device", "reproducible"))
        return AwayReference(word, PACKAGED[scheme], *_how(spec))
    if scheme == "hf":
        _only(spec, "hf", ("dtype", "device", "date", "system", "reproducible"))
        return _hf(spec, word, rest)
    if scheme == "openai":
        _only(spec, "openai", tuple(set(ModelSpec.model_fields) - {"dtype", "device", "date", "reproducible"}))
        reference = EndpointReference(word, rest, (spec.base_url or _openai_url()).rstrip("/"), _key_env(spec))
        check_network(reference.base_url, reference.key_env)
        return reference
    _only(spec, "LangChain", ("extra", "base_url", "api_key_env", "retries", "timeout_s", "concurrency", "prices"))
    name = rest if scheme == "langchain" else word
    check_addresses(spec, name.partition(":")[0])
    return LangChainReference(word, name, None if spec.api_key_env is None else _key_env(spec))


def _hf(spec: ModelSpec, word: str, rest: str) -> ModelReference:
    """Return a folder where there is one of this name or it looks like a path, a GGUF file, else a hub model."""
    settings = _how(spec)
    path = expanded(rest)
    if path.suffix == GGUF and not is_folder(path):
        return AwayReference(word, path, *settings)
    name, _, revision = rest.partition("@")
    on_hub = name.count("/") == 1 and not name.startswith((".", "~", "/")) and not is_folder(Path(name).parent)
    if is_folder(path) or not on_hub:
        return LocalReference(word, path, *settings)
    return AwayReference(word, HubModel(name, revision or None), *settings)


def _how(spec: ModelSpec) -> tuple[str, str | None, date, bool, bool]:
    """Return the settings of weights that run here, in the order of :class:`LocalReference`."""
    return spec.dtype or "auto", spec.device, spec.date or TODAY, spec.reproducible, spec.system == "fold"


def _openai_url() -> str:
    url = os.environ.get("OPENAI_BASE_URL")
    fault = address_fault(url) if url else None
    if fault is not None:
        raise InputError(f"OPENAI_BASE_URL: {fault}")
    return url or OPENAI_URL


def at_openai(base_url: str | None) -> bool:
    """Return whether requests go to OpenAI (or to the environment's OPENAI_BASE_URL), and so may carry its key."""
    return base_url is None or base_url.rstrip("/") == OPENAI_URL


def _key_env(spec: ModelSpec) -> str | None:
    """Return the variable that holds the key.

    OpenAI's own key is sent to another server only where ``api_key_env`` or the environment's OPENAI_BASE_URL says so.
    """
    name = spec.api_key_env or (OPENAI_KEY if at_openai(spec.base_url) else None)
    if name is not None and not os.environ.get(name):
        more = "" if spec.api_key_env else ", or name a server of your own with 'base_url'"
        raise InputError(f"{spec.in_words} needs a key: set {name} in the environment{more}")
    return name


def _only(spec: ModelSpec, kind: str, allowed: tuple[str, ...]) -> None:
    odd = sorted(set(spec.short) - {"ref", *allowed})
    if odd:
        raise InputError(f"model {quote(spec.ref)}: {', '.join(odd)} means nothing for {kind}; remove it")
