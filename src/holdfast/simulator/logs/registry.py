"""The words for the formats, and which of them a file has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, printable, quote
from holdfast.simulator.logs.files import csv_rows, head_of, json_documents
from holdfast.simulator.logs.formats import esconv
from holdfast.simulator.logs.formats import messages
from holdfast.simulator.logs.formats import sdialog
from holdfast.simulator.logs.formats.esconv import EsconvWriter
from holdfast.simulator.logs.formats.ieval import IevalReader, IevalWriter
from holdfast.simulator.logs.formats.journal import FILE, JournalReader, JournalWriter
from holdfast.simulator.logs.formats.messages import LISTS, MessagesWriter
from holdfast.simulator.logs.formats.sage import SageReader, SageWriter
from holdfast.simulator.logs.formats.sdialog import SdialogWriter
from holdfast.simulator.logs.formats.sense7 import Sense7Reader, Sense7Writer
from holdfast.simulator.logs.formats.table import TableReader, TableWriter
from holdfast.simulator.logs.protocols import LogFormat
from holdfast.simulator.logs.records import SkippedLine

_ALL = (
    LogFormat("messages", "OpenAI chat or ShareGPT, JSON lines", messages.READER, MessagesWriter(), ".jsonl", ("model",)),
    LogFormat("sharegpt", "as messages; written with from and value", messages.READER, MessagesWriter(True), ".jsonl"),
    LogFormat("sense7", "SENSE-7's workbook, Tasks and Messages", Sense7Reader(), Sense7Writer(), ".xlsx", ("model",)),
    LogFormat("ieval", "iEval's CSV, a row a chat", IevalReader(), IevalWriter(), ".csv", ("bot",)),
    LogFormat("esconv", "ESConv, JSON or JSON lines", esconv.READER, EsconvWriter(), ".jsonl"),
    LogFormat("sage", "SAGE, dialogues or turns.csv", SageReader(), SageWriter(), ".jsonl", ("simulator", "model")),
    LogFormat("sdialog", "sdialog's Dialog, JSON", sdialog.READER, SdialogWriter(), ".json", ("model",)),
    LogFormat("csv", "a CSV with named columns, see --columns", TableReader(), TableWriter(), ".csv"),
    LogFormat("journal", "a run folder of holdfast", JournalReader(), JournalWriter(), "", ("candidate",)),
)

#: Word -> format.
FORMATS: dict[str, LogFormat] = {one.word: one for one in _ALL}


def format_named(word: str) -> LogFormat:
    """The format of that word. Raises InputError for an unknown one."""
    if word not in FORMATS:
        raise InputError(f"unknown format {quote(word)}{did_you_mean(word, FORMATS)} (allowed: {', '.join(FORMATS)})")
    return FORMATS[word]


def recognise(path: Path) -> LogFormat:
    """The format of a file, by its first bytes and names. Raises InputError where it cannot be told."""
    if path.is_dir() and (path / FILE).exists():
        return FORMATS["journal"]
    head = head_of(path)
    if head.startswith(b"SQLite format 3\x00"):
        return FORMATS["journal"]
    if head.startswith(b"PK"):
        return FORMATS["sense7"]
    word = _json_word(path) if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else _csv_word(path)
    if word is None:
        name = printable(os.fspath(path))
        listed = "; ".join(f"{one.word}: {one.about}" for one in _ALL)
        raise InputError([Fault(name, f"its format cannot be recognised; name it with --format ({listed})")])
    return FORMATS[word]


def _json_word(path: Path) -> str | None:
    for number, found in enumerate(json_documents(path)):
        word = None if isinstance(found, SkippedLine) else _word_of(found[1])
        if word or number >= 20:  # some broken lines at the start hide nothing
            return word
    return None


def _word_of(raw: Any) -> str | None:
    if isinstance(raw, list):
        return "messages"
    keys = set(raw) if isinstance(raw, dict) else set()
    if "dialog" in keys or {"seeker_empathy", "messages"} <= keys or {"seeker_relevance", "messages"} <= keys:
        return "esconv"
    if "history" in keys and keys & {"emo_point", "emo_state"}:
        return "sage"
    if isinstance(raw, dict) and isinstance(raw.get("turns"), list):
        return "sdialog"
    return "messages" if keys & set(LISTS) else None


def _csv_word(path: Path) -> str | None:
    with csv_rows(path) as (header, _):
        names = set(header)
    if {"simulator", "model", "emotion_point"} <= names:
        return "sage"
    if {"messages", "bot"} <= names:
        return "ieval"
    try:
        TableReader().names_in(header, path)
    except InputError:
        return None
    return "csv"
