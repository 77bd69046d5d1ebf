"""OpenAssistant (Köpf et al., NeurIPS 2023): trees of messages, of which the best-ranked path is read.

Two shapes: a tree per line (``prompt`` with ``replies`` in ``replies``), and a message per line or row
(``message_tree_id``, ``parent_id``, ``role`` prompter or assistant). Rank 0 is the best; a reply without a rank comes
after those with one. Deleted messages are left aside.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.reading.skips import SkippedLine
from holdfast.core.reading.tables import table_of
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.chatgpt import BRANCHES
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.formats.trees import best_path
from holdfast.simulator.logs.gathering import Grouping, gather
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import columns_of, id_of, number_of

Message = Mapping[str, Any]
TREE = "message_tree_id"


def recognises(file: Glimpse) -> bool:
    """Whether the values are trees or messages of trees."""
    return file.has(TREE)


@dataclass(frozen=True, slots=True)
class OasstReader:
    """Reads trees, or messages that name their tree."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        table = table_of(path)
        if "parent_id" not in table.columns:
            yield from DocumentReader(_tree).read(path)
            return
        for run in gather(table.rows, Grouping((TREE,), always=True)):
            yield from [run] if isinstance(run, SkippedLine) else _of_rows(run[0][0], run[1])


def _tree(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    prompt = raw.get("prompt") if isinstance(raw, Mapping) else None
    if not isinstance(prompt, Mapping):
        yield SkippedLine(place, "conversation", "no prompt", keys_seen(raw))
        return
    yield from _best(place, id_of(raw.get(TREE)), prompt, _replies)


def _replies(message: Message) -> list[Message]:
    listed = message.get("replies")
    return [each for each in listed if isinstance(each, Mapping) and _stands(each)] if isinstance(listed, list) else []


def _stands(message: Message) -> bool:
    return message.get("deleted") not in (True, "True", "true")


def _of_rows(tree: str, rows: Sequence[tuple[str, Message]]) -> Iterator[Conversation | SkippedLine]:
    place = rows[0][0]
    names = {id_of(row.get("message_id")) for _, row in rows}
    below: dict[str, list[Message]] = {}
    roots: list[Message] = []
    for _, row in rows:
        parent = id_of(row.get("parent_id"))
        if parent and parent in names:
            below.setdefault(parent, []).append(row)
        elif not parent:
            roots.append(row)
    if len(roots) != 1:
        yield SkippedLine(place, "conversation", "left out: its tree has not one root", f"{len(roots)} in {tree}")
        return

    def replies(message: Message) -> list[Message]:
        return [each for each in below.get(id_of(message.get("message_id")), []) if _stands(each)]

    yield from _best(place, tree, roots[0], replies)


def _best(place: str, tree: str, root: Message, replies: Any) -> Iterator[Conversation | SkippedLine]:
    draft = ConversationDraft(place)
    path = best_path(root, replies, _rank)
    draft.read([{"role": message.get("role"), "content": message.get("text")} for message in path])
    others = sum(len(replies(message)) - 1 for message in path[:-1])
    draft.skips += [SkippedLine(place, "branch", BRANCHES)] * others
    columns = columns_of({"lang": root.get("lang")})
    yield from draft.finish(tree or id_of(root.get("message_id")), speaker=id_of(root.get("user_id")), columns=columns)


def _rank(message: Message) -> float:
    rank = number_of(message.get("rank"))
    return float("inf") if rank is None else rank
