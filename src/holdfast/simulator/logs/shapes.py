"""The shapes in which logs write a message: where its role stands, and where its content.

OpenAI's ``role``/``content``, ShareGPT's ``from``/``value``, Gemini's ``role``/``parts``, Claude's ``sender``,
LangChain's ``type``/``data`` and its ``lc`` dumps, and a choice that holds its ``message``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.simulator.logs.values import id_of, is_silent, role_of

#: Keys that hold a conversation's messages.
LISTS = ("messages", "conversations", "conversation", "chat_history", "contents", "history", "dialogue", "chat")
#: Keys that name a conversation.
IDS: tuple[str, ...] = ("id", "conversation_id", "session_id", "chat_id", "conversation_hash", "thread_id", "uuid")
IDS += ("dialogue_id", "episode")
#: Columns that name the conversation of a row.
ROW_IDS: tuple[str, ...] = (
    "conversation",
    "conversation_id",
    "conv_id",
    "chat_id",
    "session_id",
    "thread_id",
    "dialogue_id",
)
ROW_IDS += ("dialog_id", "episode", "TaskId")
#: Keys that name the user.
SPEAKERS = ("speaker", "user_id", "user", "participant", "hashed_ip")
#: Who the user is in holdfast's own export, and keys that stand beside it there: elsewhere a persona is as often the
#: assistant's. It is also a column to group by, as in a run.
PERSONA = "persona"
BESIDE_PERSONA = frozenset(("episode", "candidate"))
_NO_NAMES = frozenset((*LISTS, "prompt", "completion", "chosen", "rejected"))
_ROLES = ("role", "from", "sender", "author", "speaker")
CONTENTS = ("content", "value", "text", "parts", "message", "utterance", "body")
_WRAPPED = ("data", "kwargs", "message")


def unwrapped(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mapping that holds a message's content, with its role as ``role``."""
    for key in _WRAPPED:
        inner = raw.get(key)
        if isinstance(inner, dict) and (named := role_word(raw) or role_word(inner)):
            deeper = next((inner[name] for name in _WRAPPED if isinstance(inner.get(name), dict)), inner)
            return {**deeper, "role": named}
    return raw


def role_word(raw: Mapping[str, Any]) -> str:
    """Return what a message names as its role; "" where it names none."""
    for key in _ROLES:
        value = raw.get(key)
        if isinstance(value, dict):
            value = value.get("role")
        if isinstance(value, str) and value.strip():
            return value
    kind = raw.get("type")
    if kind == "constructor" and isinstance(raw.get("id"), list) and raw["id"]:
        kind = raw["id"][-1]
    return kind if isinstance(kind, str) and (role_of(kind) is not None or is_silent(kind)) else ""


def first_id(about: Mapping[str, Any], keys: Iterable[str]) -> str:
    """Return the first id among the values of ``keys``."""
    return next((word for key in keys if (word := id_of(about.get(key)))), "")


def speaker_of(about: Mapping[str, Any]) -> str:
    """Return who the user of a document is; "" where it does not say."""
    return first_id(about, SPEAKERS) or (id_of(about.get(PERSONA)) if about.keys() >= BESIDE_PERSONA else "")


def content_of(raw: Mapping[str, Any]) -> Any:
    """Return a message's content in any shape; None where there is none."""
    return next((raw[key] for key in CONTENTS if raw.get(key) not in (None, "", [], {})), None)


def looks_like_message(value: Any) -> bool:
    """Whether a value of a log is a message: it names a role, holds a content, and no list of messages."""
    if not isinstance(value, dict) or messages_in(value) is not None:
        return False
    inner = unwrapped(value)
    return bool(role_word(inner)) and (any(key in inner for key in CONTENTS) or "tool_calls" in inner)


def names_conversation(value: Mapping[str, Any]) -> bool:
    """Whether a message names the conversation that it belongs to."""
    return any(id_of(value.get(key)) for key in ROW_IDS)


def is_part(value: Any) -> bool:
    """Whether a value of an array is a message of one conversation, so that the array is the conversation."""
    return looks_like_message(value) and not names_conversation(value)


def wrapped_in(value: Any) -> list[tuple[str, Any]]:
    """Return the conversations that a document wraps, each with its name, "" where it has none; none where it is one.

    They stand in a list under any key, or as the values of a mapping from names.
    """
    if not isinstance(value, dict) or looks_like_message(value):
        return []
    for listed in value.values():
        if isinstance(listed, list) and listed and is_conversation(listed[0]):
            return [("", each) for each in listed]
    if not value.keys().isdisjoint(_NO_NAMES):
        return []
    named = [(str(key), each) for key, each in value.items()]
    return named if named and all(is_conversation(each) for _, each in named) else []


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of messages, or holds one."""
    listed = messages_in(value) if isinstance(value, dict) else value
    return isinstance(listed, list) and bool(listed) and is_part(listed[0])


def messages_in(value: Mapping[str, Any]) -> list[Any] | None:
    """Return the list of messages that a document holds; None where it holds none."""
    return next((value[key] for key in LISTS if isinstance(value.get(key), list)), None)
