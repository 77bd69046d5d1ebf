"""The chat model behind a judge, from its name on the command line. Providers' packages are imported when asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from personas.errors import InputError
from personas.words import quote

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

KEY = "OPENAI_API_KEY"
NO_KEY = "none"  # what is sent to a server of one's own that asks for no key


def chat_model(
    reference: str,
    base_url: str | None = None,
    *,
    temperature: float = 0.0,
    max_tokens: int = 512,
    timeout: float = 60.0,
    retries: int = 2,
) -> BaseChatModel:
    """The model that ``openai:NAME`` names, at OpenAI or at any server of one's own that speaks its language.

    The key is taken from the environment (``OPENAI_API_KEY``) only. ``max_tokens`` is always sent: some servers would
    answer without end. Raises :class:`InputError` for another word, without the package, or without a key for OpenAI.
    """
    scheme, _, name = reference.partition(":")
    if scheme != "openai" or not name.strip():
        raise InputError(f"unknown judge {quote(reference)}; allowed: openai:NAME, for example openai:gpt-4o")
    key = os.environ.get(KEY) or (NO_KEY if base_url else None)
    if key is None:
        raise InputError(f"no key: set {KEY} in the environment, or name a server of your own with --base-url")
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise InputError(f"--base-url: expected http://… or https://…, got {quote(base_url)}")
    try:
        from langchain_openai import ChatOpenAI
        from langchain_openai.chat_models.base import BaseChatOpenAI
        from pydantic import SecretStr
    except ImportError as error:
        raise InputError("a judge behind an endpoint needs langchain-openai: pip install 'holdfast[openai]'") from error
    # ChatOpenAI renames max_tokens to max_completion_tokens, which OpenAI wants and most other servers ignore
    kind = ChatOpenAI if base_url is None else BaseChatOpenAI
    return kind(  # type: ignore[call-arg]  # pydantic aliases
        model=name.strip(),
        base_url=base_url,
        api_key=SecretStr(key),
        temperature=temperature,
        max_tokens=max_tokens,
        timeout=timeout,
        max_retries=retries,
    )
