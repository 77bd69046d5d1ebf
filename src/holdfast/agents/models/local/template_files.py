"""Read a model folder's chat template without loading its tokenizer: as ``transformers`` would choose it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.templates.trial import LONGEST_SOURCE
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.agents.models.spec import TODAY

TEMPLATE, SETTINGS = "chat_template.jinja", "tokenizer_config.json"
_SPECIAL_TOKENS = "special_tokens_map.json"  # of older folders, where it comes first
_MOST_BYTES = 16 << 20  # of the settings: large vocabularies list thousands of added tokens
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def template_of(reference: ModelReference) -> ChatTemplate | None:
    """Return the chat template of a model of this machine; None where it is none, or its files give none.

    Raises:
        ModelError: as :func:`template_in`.
    """
    if not isinstance(reference, LocalReference):
        return None
    return template_in(reference.path, reference.word, reference.today, fold=reference.fold)


def template_in(folder: Path, name: str, today: date = TODAY, *, fold: bool = False) -> ChatTemplate | None:
    """Return the chat template of the model in ``folder``; None where its files give none.

    ``today``, ``fold``: as :class:`ChatTemplate` takes them.

    Raises:
        ModelError: it is no template, or does not end within bounds.
    """
    settings = _settings(folder / SETTINGS)
    source = _text(folder / TEMPLATE, 4 * LONGEST_SOURCE) or _default(settings.get("chat_template"))
    if not source:
        return None
    tokens = settings if "added_tokens_decoder" in settings else settings | _settings(folder / _SPECIAL_TOKENS)
    special = {token: spelling for token in _SPECIAL if (spelling := _spelling(tokens.get(token))) is not None}
    return ChatTemplate(source, special, name, today, fold=fold)


def _settings(file: Path) -> dict[str, Any]:
    try:
        settings = json.loads(_text(file, _MOST_BYTES) or "{}")
    except (ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _text(file: Path, most: int) -> str | None:
    """Return a plain file's text; None where there is none that can be read."""
    try:
        if not file.is_file() or file.stat().st_size > most:
            return None
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _default(template: object) -> str | None:
    """Return the template that is used where none is asked for by name."""
    if isinstance(template, list):
        named = {item.get("name"): item.get("template") for item in template if isinstance(item, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else None


def _spelling(token: object) -> str | None:
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None
