"""ChatGPT's export, ``conversations.json``: messages as a tree, of which the current branch is read.

``current_node`` names the last message; without it the tree must have one branch. Messages that ChatGPT hides, calls
of tools and their outputs are said by nobody.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value, quote
from holdfast.simulator.logs.drafts import NOT_A_ROLE, ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.formats.trees import leaves, path_to
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.shapes import role_word
from holdfast.simulator.logs.values import columns_of, id_of, is_silent, role_of

BRANCHES = "another branch of the conversation, such as an edited message or a second answer; it was not read"
_THOUGHTS = ("thoughts", "reasoning_recap")
_HIDDEN = ("user_editable_context", "model_editable_context")


def recognises(file: Glimpse) -> bool:
    """Whether the values hold a mapping of messages."""
    return file.any(lambda value: isinstance(value.get("mapping"), Mapping))


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts."""
    mapping = raw.get("mapping") if isinstance(raw, Mapping) else None
    if not isinstance(mapping, Mapping):
        yield SkippedLine(place, "conversation", "no mapping", keys_seen(raw))
        return
    draft = ConversationDraft(place)
    nodes = {str(name): node for name, node in mapping.items() if isinstance(node, Mapping)}
    parents = {name: id_of(node.get("parent")) for name, node in nodes.items()}
    ends = leaves(parents)
    current = id_of(raw.get("current_node")) or (ends[0] if len(ends) == 1 else "")
    path = path_to(current, parents) if current in parents else None
    if path is None:
        said = f"current_node is {describe_value(raw.get('current_node'))}, of {len(ends)} branches"
        draft.lose(place, "its current branch cannot be followed", said)
        path = []
    models: Counter[str] = Counter()
    for number, name in enumerate(path):
        message = nodes[name].get("message")
        if isinstance(message, Mapping):
            _add(draft, message, f"{place}, message {number}", models)
    draft.skips += [SkippedLine(place, "branch", BRANCHES)] * (len(set(ends) - {current}) if path else 0)
    model = {"model": models.most_common(1)[0][0]} if models else {}
    yield from draft.finish(
        id_of(raw.get("conversation_id")) or id_of(raw.get("id")),
        columns=columns_of({"gizmo": raw.get("gizmo_id")}) | model,
    )


READER = DocumentReader(conversation_of)


def _add(draft: ConversationDraft, message: Mapping[str, Any], where: str, models: Counter[str]) -> None:
    metadata = message.get("metadata")
    about: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
    content = message.get("content")
    kind = content.get("content_type") if isinstance(content, Mapping) else None
    word = role_word(message)
    role = role_of(word)
    if about.get("is_visually_hidden_from_conversation") is True or kind in _HIDDEN or is_silent(word):
        return
    if role is None:
        draft.lose(where, NOT_A_ROLE, quote(word) if word else "none is named")
        return
    if role == "assistant" and (slug := id_of(about.get("model_slug"))):
        models[slug] += 1
    recipient = message.get("recipient")
    if role == "assistant" and isinstance(recipient, str) and recipient not in ("all", ""):
        draft.say(role, {"content": None, "tool_calls": [{"function": {"name": recipient}}]}, where)
    elif kind in _THOUGHTS and isinstance(content, Mapping):
        draft.say(role, {"content": None, "reasoning_content": _thoughts(content)}, where)
    else:
        draft.say(role, {"content": content}, where)


def _thoughts(content: Mapping[str, Any]) -> str:
    thoughts = content.get("thoughts", content.get("content"))
    if isinstance(thoughts, str):
        return thoughts
    listed = thoughts if isinstance(thoughts, list) else []
    return "\n".join(str(each.get("content", "")) for each in listed if isinstance(each, Mapping)) or "(not shown)"
