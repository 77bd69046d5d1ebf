"""Claude's export, ``conversations.json``: ``chat_messages`` by ``human`` and ``assistant``.

Where messages name their parents, the branch to ``current_leaf_message_uuid`` is read, else that to the last message.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.chatgpt import BRANCHES
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.formats.trees import leaves, path_to
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import columns_of, id_of

_ROOT = "00000000-0000-4000-8000-000000000000"  # the parent of first messages


def recognises(file: Glimpse) -> bool:
    """Whether the values hold chat messages."""
    return file.any(lambda value: isinstance(value.get("chat_messages"), list))


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts."""
    listed = raw.get("chat_messages") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no chat_messages", keys_seen(raw))
        return
    draft = ConversationDraft(place)
    kept, others = _branch(listed, id_of(raw.get("current_leaf_message_uuid")))
    if kept is None:
        draft.lose(place, "its current branch cannot be followed", f"{others} branches")
    for number, message in enumerate(kept or [], start=1):
        where = f"{place}, message {number}"
        if isinstance(message, Mapping):
            draft.add({**_content(message), "role": message.get("sender")}, where)
        else:
            draft.lose(where, "not a message", describe_value(message))
    draft.skips += [SkippedLine(place, "branch", BRANCHES)] * (others if kept else 0)
    yield from draft.finish(
        id_of(raw.get("uuid")), speaker=id_of(raw.get("account")), columns=columns_of({"model": raw.get("model")})
    )


READER = DocumentReader(conversation_of)


def _branch(listed: list[Any], leaf: str) -> tuple[list[Any] | None, int]:
    """Return the messages of the current branch, None where it cannot be followed, and how many others there are."""
    messages = {id_of(m.get("uuid")): m for m in listed if isinstance(m, Mapping)}
    named = all(isinstance(m, Mapping) and id_of(m.get("parent_message_uuid")) for m in listed)
    if not messages or not named or "" in messages or len(messages) < len(listed):
        return listed, 0
    parents = {name: id_of(m["parent_message_uuid"]) for name, m in messages.items()}
    first = next(iter(parents))
    parents = {
        name: "" if parent == _ROOT or (name == first and parent not in messages) else parent
        for name, parent in parents.items()
    }
    ends = leaves(parents)
    last = leaf if leaf in messages else list(messages)[-1]
    path = path_to(last, parents)
    if path is None:
        return None, len(ends)
    return [messages[name] for name in path], len(set(ends) - {last})


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a message: its parts where it has some, else its text; and what is attached."""
    parts = message.get("content")
    attached = [{"type": "file"} for key in ("attachments", "files") if message.get(key)]
    if isinstance(parts, list) and parts:
        return {"content": [*parts, *attached]}
    text = message.get("text")
    said = [{"type": "text", "text": text}] if text else []
    return {"content": [*said, *attached] if attached else text}
