"""Chats of messengers, which name people and no roles: who is the assistant is said by the user, never guessed."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import did_you_mean, printable, quote
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.records import Conversation

MOST_NAMES = 20  # that an error lists


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person wrote. ``raw``: its text or content; ``identity``: of the person, where names may be shared."""

    place: str
    name: str
    raw: str | Mapping[str, Any]
    identity: str = ""


def check_assistant(path: Path, assistant: str, remarks: Iterable[Remark]) -> None:
    """Check that ``assistant`` is one person who speaks in a file.

    Raises:
        InputError: it is empty, nobody's name, or the name of several: with the names that speak.
    """
    names: Counter[str] = Counter()
    behind: dict[str, set[str]] = {}
    for remark in remarks:
        if len(names) < 10_000 or remark.name in names:
            names[remark.name] += 1
            behind.setdefault(remark.name, set()).add(remark.identity)
    shown = ", ".join(f"{quote(name)} ({count:,})" for name, count in names.most_common(MOST_NAMES)) or "nobody"
    where = printable(os.fspath(path))
    if not assistant:
        said = f"names people and no roles; say who is the assistant: --assistant NAME (who speaks: {shown})"
        raise InputError([Fault(where, said)])
    identities = set().union(*behind.values()) - {""}
    if assistant in names and len(behind[assistant]) > 1:
        listed = ", ".join(sorted(behind[assistant]))
        raise InputError([Fault(where, f"--assistant: {quote(assistant)} is the name of several people: {listed}")])
    if assistant not in names and assistant not in identities:
        hint = did_you_mean(assistant, names)
        raise InputError([Fault(where, f"--assistant: {quote(assistant)} does not speak{hint} (who speaks: {shown})")])


def two_party(
    draft: ConversationDraft, id: str, remarks: Iterable[Remark], assistant: str
) -> Iterator[Conversation | SkippedLine]:
    """Yield the chat of the assistant with one other person; a chat of more people is left out."""
    users: dict[str, str] = {}
    for remark in remarks:
        if assistant in (remark.name, remark.identity):
            draft.say("assistant", remark.raw, remark.place)
        else:
            users[remark.identity or remark.name] = remark.name
            draft.say("user", remark.raw, remark.place)
    if len(users) > 1:
        listed = ", ".join(quote(name) for name in list(users.values())[:5])
        draft.lose(draft.place, "more than one person talks with the assistant", listed)
    yield from draft.finish(id, speaker=next(iter(users), ""))
