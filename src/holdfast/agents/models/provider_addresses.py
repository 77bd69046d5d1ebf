"""Addresses that a study's file gives to LangChain's packages, and the keys that these packages would send there.

A provider's package takes its key from the environment by itself, and sends it to whatever address it is given. So an
address that is not the provider's own needs a key that the study names for it.
"""

from collections.abc import Iterator

from holdfast.agents.models.addresses import address_fault, is_loopback, is_within, origin_of
from holdfast.agents.models.keys import key_fault
from holdfast.agents.models.served.network import proxy_for
from holdfast.agents.models.spec import ModelSpec
from holdfast.core.errors import InputError
from holdfast.core.wording import quote

_KEYLESS = frozenset(("ollama",))
_OWN = {
    "anthropic": ("anthropic.com",),
    "azure_ai": ("azure.com",),
    "azure_openai": ("azure.com", "azure.us", "azure.cn"),
    "baseten": ("baseten.co",),
    "bedrock": ("amazonaws.com",),
    "bedrock_converse": ("amazonaws.com",),
    "cohere": ("cohere.com", "cohere.ai"),
    "deepseek": ("deepseek.com",),
    "fireworks": ("fireworks.ai",),
    "google_anthropic_vertex": ("googleapis.com",),
    "google_genai": ("googleapis.com",),
    "google_vertexai": ("googleapis.com",),
    "groq": ("groq.com",),
    "huggingface": ("huggingface.co", "huggingface.cloud"),
    "ibm": ("ibm.com",),
    "mistralai": ("mistral.ai",),
    "nvidia": ("nvidia.com",),
    "openai": ("openai.com",),
    "openrouter": ("openrouter.ai",),
    "perplexity": ("perplexity.ai",),
    "together": ("together.ai", "together.xyz"),
    "upstage": ("upstage.ai",),
    "xai": ("x.ai",),
}


def check_addresses(spec: ModelSpec, provider: str) -> None:
    """Make sure that no package sends its provider's key to an address of somebody else.

    Raises:
        InputError: It would, or the key that ``api_key_env`` names must not be sent there, or an address is none.
    """
    for place, url in _addresses(spec):
        fault = address_fault(url)
        if fault is not None:
            raise InputError(f"model {quote(spec.ref)}: {place}: {fault}")
        if spec.api_key_env is not None:
            proxy = proxy_for(url)
            fault = key_fault(spec.api_key_env, url, None if proxy is None else proxy.url)
            if fault is not None:
                raise InputError(f"model {quote(spec.ref)}: {fault}")
        elif not (provider in _KEYLESS or is_loopback(url) or is_within(url, _OWN.get(provider, ()))):
            raise InputError(
                f"model {quote(spec.ref)}: {origin_of(url)} is no address of {provider}'s own, so the key of "
                f"{provider} in the environment is not sent there; name the key for it with 'api_key_env: MY_KEY'"
            )


def _addresses(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    if spec.base_url is not None:
        yield "base_url", spec.base_url
    yield from _inside("extra", spec.extra)


def _inside(place: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _inside(f"{place}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _inside(place, inner)
    elif isinstance(value, str) and value.strip().lower().startswith(("http:", "https:")):
        yield place, value.strip()
