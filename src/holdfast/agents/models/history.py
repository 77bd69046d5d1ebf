"""The conversation as models take it: without empty replies, or without a system's own messages."""

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


def folded(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages with each system message at the head of the user's next one, a blank line between.

    For chat templates that have no place for a system message (``system: fold``). One that no user's message follows
    stands at the end of the last.
    """
    kept: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user":
            kept.append(Message("user", "\n\n".join((*waiting, message.content))))
            waiting = []
        else:
            kept.append(message)
    if waiting and kept and kept[-1].role == "user":
        waiting.insert(0, kept.pop().content)
    return (*kept, Message("user", "\n\n".join(waiting))) if waiting else tuple(kept)
