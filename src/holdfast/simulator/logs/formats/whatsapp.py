"""WhatsApp's exported chat, a text: a line begins with date, time and name; others go on with what was said.

``31/12/2023, 21:41 - Ann: text`` (Android) and ``[31.12.23, 21:41:05] Ann: text`` (iPhone), with the day, the month
or the year first, and hours of 12 or 24.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.reading.encodings import ESCAPED
from holdfast.core.reading.opening import opened_text
from holdfast.core.reading.skips import SkippedLine, parted
from holdfast.core.wording import printable
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.people import Remark, check_assistant, two_party
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation

MAX_LINE = 1_000_000
MOST_TEXT = 32_000_000  # characters of the whole chat
_DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_TIME = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[\s\u202f\u00a0]?[AaPp]\.?[\s\u202f\u00a0]?[Mm]\.?)?"
_BEGINS = re.compile(
    rf"[\u200e\u200f\u202a-\u202e]*(?:\[{_DATE},? {_TIME}\] |{_DATE},? {_TIME} [-\u2013] )(.*)", re.DOTALL
)
_NAMED = re.compile(r"[\u200e\u202a\u202c~\u00a0 ]*([^:\n]{1,80}?)[\u202c\u200e]*: (.*)", re.DOTALL)
_ATTACHED = re.compile(
    r"<[^<>]*(?:omitted|ausgeschlossen|omis|omitido|attached)[^<>]*>|\S+ omitted|.+ \(file attached\)|null",
    re.IGNORECASE,
)
_GONE = ("This message was deleted", "You deleted this message")
_MARK = "\u200e"  # iPhone puts it before what the app itself writes


def recognises(file: Glimpse) -> bool:
    """Whether the first lines begin with date and time as WhatsApp writes them."""
    lines = [line for line in file.lines if line.strip()]
    return file.content == "text" and bool(lines) and bool(_BEGINS.match(lines[0])) and any(map(_says, lines))


def _says(line: str) -> bool:
    begins = _BEGINS.match(line)
    return bool(begins and _NAMED.match(begins[1]))


@dataclass(frozen=True, slots=True)
class WhatsappReader:
    """Reads a chat of two. ``how.assistant``: the assistant's name."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        remarks: list[Remark] = []
        skips: list[SkippedLine] = []
        for entry in _remarks(path):
            if isinstance(entry, SkippedLine):
                skips.append(entry)
            else:
                remarks.append(entry)
        check_assistant(path, how.assistant, remarks)
        draft = ConversationDraft(f"{printable(os.fspath(path))}:1")
        for skip in skips:
            draft.lose(skip.place, skip.reason, skip.detail)
        yield from two_party(draft, path.stem, remarks, how.assistant)


def _remarks(path: Path) -> Iterator[Remark | SkippedLine]:
    place, name, lines, size = "", "", list[str](), 0
    with opened_text(path) as file:
        number = 0
        while raw := file.stream.readline(MAX_LINE):
            number += 1
            size += len(raw)
            line = file.repaired(raw.decode("utf-8", "surrogateescape"))
            if size > MOST_TEXT:
                yield SkippedLine(f"{file.name}:{number}", "line", f"longer than {MOST_TEXT:,} bytes")
                return
            if ESCAPED.search(line):
                yield SkippedLine(f"{file.name}:{number}", "line", "not UTF-8")
            begins = _BEGINS.match(line)
            if not begins:
                lines.append(line)
                continue
            if name:
                yield Remark(place, name, _content("".join(lines)))
            named = _NAMED.match(begins[1])
            place, name, lines = f"{file.name}:{number}", "", []
            if named and not (named[2].startswith(_MARK) and not _ATTACHED.match(named[2][:300].lstrip(_MARK).strip())):
                name, lines = named[1].strip(), [named[2]]
        if name:
            yield Remark(place, name, _content("".join(lines)))
        if file.fault:
            yield SkippedLine(f"{file.name}:{number}", "file", *parted(file.fault))


def _content(text: str) -> dict[str, object]:
    said = text.strip().lstrip(_MARK).removesuffix("<This message was edited>").strip()
    if len(said) < 300 and _ATTACHED.fullmatch(said):
        return {"content": [{"type": "file"}]}
    if said.rstrip(".") in _GONE:
        return {"content": None}
    return {"content": said}
