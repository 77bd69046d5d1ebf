"""The chat model behind a judge, from its name on the command line. Providers' packages are imported when asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from holdfast.agents.models.opening import load_local, local_reference
from holdfast.agents.models.references import OPENAI_KEY, at_openai
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import Sampling
from holdfast.core.errors import InputError
from holdfast.core.wording import quote

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

PROVIDERS = ("openai", "langchain")
LOCAL = ("micro", "hf")  # weights of this machine, run in this process
OWN_KEY = "HOLDFAST_API_KEY"  # sent to a server of one's own
NO_KEY = "none"  # what is sent to a server of one's own that asks for no key


@dataclass(frozen=True, slots=True)
class Here:
    """How models of this machine are run. ``micro_path``: the folder of the embedded base model, given from above;
    ``dtype``, ``device``: as in :class:`holdfast.agents.models.spec.ModelSpec`; ``batch_size``: conversations in one pass."""

    micro_path: Path
    dtype: str | None = None
    device: str | None = None
    batch_size: int = 8


def chat_model(
    reference: str,
    base_url: str | None = None,
    *,
    temperature: float = 0.0,
    max_tokens: int = 512,
    timeout: float = 60.0,
    retries: int = 2,
    here: Here | None = None,
) -> BaseChatModel:
    """The model that a word names: ``openai:NAME``, at OpenAI or at any server of one's own that speaks its language,
    ``langchain:PROVIDER:NAME``, whatever LangChain's ``init_chat_model`` knows, or ``hf:NAME_OR_PATH`` and ``micro``,
    run in this process.

    ``base_url`` and ``retries`` go to either of the first two. Keys are taken from the environment only. ``max_tokens``
    is always sent: some servers would answer without end. ``here``: how models of this machine are run; None: there
    are none.

    Raises :class:`InputError` for another word, without the package, or without a key for OpenAI, and ModelError for a
    local model that cannot be loaded.
    """
    scheme, _, name = reference.partition(":")
    if scheme in LOCAL and bool(name.strip()) == (scheme == "hf") and here is not None:
        return _of_this_machine(reference, here, Sampling(temperature, max_tokens=max_tokens))
    if scheme not in PROVIDERS or not name.strip():
        allowed = "openai:NAME (for example openai:gpt-4o), langchain:PROVIDER:NAME, hf:NAME_OR_PATH, micro"
        raise InputError(f"unknown judge {quote(reference)}; allowed: {allowed}")
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise InputError(f"--base-url: expected http://… or https://…, got {quote(base_url)}")
    settings: dict[str, Any] = {
        "temperature": temperature,
        "max_tokens": max_tokens,
        "timeout": timeout,
        "max_retries": retries,
    }
    if scheme == "langchain":
        return _by_langchain(name.strip(), settings | ({} if base_url is None else {"base_url": base_url}))
    openai = at_openai(base_url)
    key = os.environ.get(OPENAI_KEY if openai else OWN_KEY) or (None if openai else NO_KEY)
    if key is None:
        raise InputError(f"no key: set {OPENAI_KEY} in the environment, or name a server of your own with --base-url")
    try:
        from langchain_openai import ChatOpenAI
        from langchain_openai.chat_models.base import BaseChatOpenAI
        from pydantic import SecretStr
    except ImportError as error:
        raise InputError("a judge behind an endpoint needs langchain-openai: pip install 'holdfast[openai]'") from error
    # ChatOpenAI renames max_tokens to max_completion_tokens, which OpenAI wants and most other servers ignore
    kind = ChatOpenAI if base_url is None else BaseChatOpenAI
    return kind(model=name.strip(), base_url=base_url, api_key=SecretStr(key), **settings)


def _of_this_machine(reference: str, here: Here, sampling: Sampling) -> BaseChatModel:
    from holdfast.agents.models.langchain.lent import LentChatModel

    try:
        spec = ModelSpec(ref=reference, dtype=here.dtype, device=here.device)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"{first['loc'][0]}: {first['msg']}, got {quote(str(first['input']))}") from None
    lender = load_local(local_reference(spec, here.micro_path), here.batch_size)
    return LentChatModel(lender=lender, sampling=sampling)


def _by_langchain(name: str, settings: Mapping[str, Any]) -> BaseChatModel:
    """Raises :class:`InputError` without the package, or where the provider cannot be had."""
    try:
        from langchain.chat_models import init_chat_model

        return cast("BaseChatModel", init_chat_model(name, **settings))
    except ImportError as error:
        raise InputError(
            f"{quote(name)} is reached through LangChain, and a package is missing: pip install 'holdfast[langchain]' "
            "and the provider's own, langchain-anthropic for instance"
        ) from error
    except Exception as error:  # a missing key, an unknown provider; its words may hold a key
        raise InputError(
            f"{quote(name)} cannot be made by LangChain ({type(error).__name__}): check its key and name"
        ) from None
