"""The log formats by name, and the recognition of a file's format."""

import os
from pathlib import Path
from typing import Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, printable, quote
from holdfast.simulator.journal.store import JOURNAL
from holdfast.simulator.logs.files import csv_rows, head_of, json_documents
from holdfast.simulator.logs.formats import esconv, messages, sdialog
from holdfast.simulator.logs.formats.esconv import EsconvWriter
from holdfast.simulator.logs.formats.ieval import IevalReader, IevalWriter
from holdfast.simulator.logs.formats.journal import JournalReader, JournalWriter
from holdfast.simulator.logs.formats.messages import LISTS, MessagesWriter
from holdfast.simulator.logs.formats.sage import SageReader, SageWriter
from holdfast.simulator.logs.formats.sdialog import SdialogWriter
from holdfast.simulator.logs.formats.sense7 import Sense7Reader, Sense7Writer
from holdfast.simulator.logs.formats.table import TableReader, TableWriter
from holdfast.simulator.logs.protocols import LogFormat
from holdfast.simulator.logs.records import SkippedLine

#: Name -> format.
FORMATS: dict[str, LogFormat] = {
    log_format.word: log_format
    for log_format in (
        LogFormat(
            "messages", "OpenAI chat or ShareGPT, JSON lines", messages.READER, MessagesWriter(), ".jsonl", ("model",)
        ),
        LogFormat(
            "sharegpt", "as messages; written with from and value", messages.READER, MessagesWriter(True), ".jsonl"
        ),
        LogFormat(
            "sense7", "SENSE-7's workbook, Tasks and Messages", Sense7Reader(), Sense7Writer(), ".xlsx", ("model",)
        ),
        LogFormat("ieval", "iEval's CSV, a row a chat", IevalReader(), IevalWriter(), ".csv", ("bot",)),
        LogFormat("esconv", "ESConv, JSON or JSON lines", esconv.READER, EsconvWriter(), ".jsonl"),
        LogFormat("sage", "SAGE, dialogues or turns.csv", SageReader(), SageWriter(), ".jsonl", ("simulator", "model")),
        LogFormat("sdialog", "sdialog's Dialog, JSON", sdialog.READER, SdialogWriter(), ".json", ("model",)),
        LogFormat("csv", "a CSV with named columns, see --columns", TableReader(), TableWriter(), ".csv"),
        LogFormat("journal", "a run folder of holdfast", JournalReader(), JournalWriter(), "", ("candidate",)),
    )
}


def format_named(word: str) -> LogFormat:
    """Return the format of that name.

    Raises:
        InputError: it is unknown.
    """
    if word not in FORMATS:
        raise InputError(f"unknown format {quote(word)}{did_you_mean(word, FORMATS)} (allowed: {', '.join(FORMATS)})")
    return FORMATS[word]


def recognise(path: Path) -> LogFormat:
    """Return the format of a file, by its first bytes and column names.

    Raises:
        InputError: it cannot be recognised.
    """
    if path.is_dir() and (path / JOURNAL).exists():
        return FORMATS["journal"]
    head = head_of(path)
    if head.startswith(b"SQLite format 3\x00"):
        return FORMATS["journal"]
    if head.startswith(b"PK"):
        return FORMATS["sense7"]
    word = _json_word(path) if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else _csv_word(path)
    if word is None:
        name = printable(os.fspath(path))
        listed = "; ".join(f"{form.word}: {form.about}" for form in FORMATS.values())
        raise InputError([Fault(name, f"its format cannot be recognised; name it with --format ({listed})")])
    return FORMATS[word]


def _json_word(path: Path) -> str | None:
    for number, document in enumerate(json_documents(path)):
        word = None if isinstance(document, SkippedLine) else _word_of(document[1])
        if word or number >= 20:  # tolerate some broken lines at the start
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
