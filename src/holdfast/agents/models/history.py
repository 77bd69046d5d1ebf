"""The conversation as endpoints take it: without empty replies, which a local model renders like others."""

from collections.abc import Sequence

from holdfast.agents.protocols import Message


def without_silence(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages without replies that have no words.

    The user's messages before and after such a reply become one, since some servers refuse an empty message
    (Anthropic's), and some templates two messages of one speaker in a row (Gemma's).
    """
    if all(message.content.strip() for message in messages if message.role == "assistant"):
        return tuple(messages)
    kept: list[Message] = []
    for message in messages:
        if message.role == "assistant" and not message.content.strip():
            continue
        if kept and kept[-1].role == message.role == "user":
            kept.append(Message("user", f"{kept.pop().content}\n\n{message.content}"))
        else:
            kept.append(message)
    return tuple(kept)
