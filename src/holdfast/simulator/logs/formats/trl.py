"""TRL's rows: a prompt with its completion, or with a chosen and a rejected reply; the chosen one is read.

``prompt``, ``completion``, ``chosen``: texts or lists of messages. Without ``prompt`` the whole conversation stands in
``chosen``, as a list or, in HH-RLHF, as text with "Human:" and "Assistant:" at the beginning of each message.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.shapes import IDS, SPEAKERS, first_id, role_word, speaker_of
from holdfast.simulator.logs.values import columns_of, role_of

_REPLIES = ("completion", "chosen", "response")
_OWN = frozenset(("prompt", *_REPLIES, "rejected", "messages", *IDS, *SPEAKERS))
_SAID = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


def recognises(file: Glimpse) -> bool:
    """Whether the values hold a prompt and a reply to it, or a chosen and a rejected reply."""
    return any(file.has("prompt", reply) for reply in _REPLIES) or file.has("chosen", "rejected")


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one row, and its unusable parts."""
    reply = next((raw[key] for key in _REPLIES if raw.get(key) is not None), None) if isinstance(raw, Mapping) else None
    if reply is None:
        yield SkippedLine(place, "conversation", "no reply", f"expected {', '.join(_REPLIES)}; {keys_seen(raw)}")
        return
    draft = ConversationDraft(place)
    prompt = raw.get("prompt")
    if prompt is None and isinstance(reply, str):
        draft.read(_transcript(reply))
    elif isinstance(reply, list) and reply and role_of(_role(reply[0])) in ("user", "system"):
        draft.read(reply)  # the whole conversation, as in UltraFeedback
    else:
        draft.read([*_messages(prompt, "user"), *_messages(reply, "assistant")])
    yield from draft.finish(first_id(raw, IDS), speaker=speaker_of(raw), columns=columns_of(raw, _OWN))


READER = DocumentReader(conversation_of)


def _messages(said: Any, role: str) -> list[Any]:
    if said is None:
        return []
    return said if isinstance(said, list) else [{"role": role, "content": said}]


def _transcript(text: str) -> list[Any]:
    """Return the messages of a text in which each begins with who speaks; the text itself where none does."""
    pieces = _SAID.split(text)
    if len(pieces) < 3 or pieces[0].strip():
        return [text]
    return [{"role": role.lower(), "content": said} for role, said in zip(pieces[1::2], pieces[2::2], strict=True)]


def _role(message: Any) -> str:
    return role_word(message) if isinstance(message, dict) else ""
