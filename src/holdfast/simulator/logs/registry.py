"""The log formats by name, and the recognition of a file's format."""

import os
from functools import cache
from pathlib import Path

from holdfast.agents.plugins import register_all
from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, printable, quote
from holdfast.simulator.logs.formats import (
    chatgpt,
    claude,
    esconv,
    ieval,
    journal,
    messages,
    oasst,
    sage,
    sdialog,
    sense7,
    table,
    telegram,
    trl,
    ultrachat,
    whatsapp,
)
from holdfast.simulator.logs.glimpse import Glimpse, glimpse
from holdfast.simulator.logs.protocols import LogFormat


def _never(_file: Glimpse) -> bool:
    return False


_FORMATS = (  # the first that recognises a file reads it: those with marks of their own before the general ones
    LogFormat("journal", "a run folder of holdfast", journal.JournalReader(), journal.recognises,
              journal.JournalWriter(), by=("candidate",)),
    LogFormat("sense7", "SENSE-7's workbook, Tasks and Messages", sense7.Sense7Reader(), sense7.recognises,
              sense7.Sense7Writer(), ".xlsx", ("model",)),
    LogFormat("ieval", "iEval's CSV, a row a chat", ieval.IevalReader(), ieval.recognises,
              ieval.IevalWriter(), ".csv", ("bot",)),
    LogFormat("sage", "SAGE, dialogues or turns.csv", sage.SageReader(), sage.recognises,
              sage.SageWriter(), ".jsonl", ("simulator", "model")),
    LogFormat("esconv", "ESConv, JSON or JSON lines", esconv.READER, esconv.recognises,
              esconv.EsconvWriter(), ".jsonl"),
    LogFormat("sdialog", "sdialog's Dialog, JSON", sdialog.READER, sdialog.recognises,
              sdialog.SdialogWriter(), ".json", ("model",)),
    LogFormat("chatgpt", "ChatGPT's export, conversations.json", chatgpt.READER, chatgpt.recognises, by=("model",)),
    LogFormat("claude", "Claude's export, conversations.json", claude.READER, claude.recognises, by=("model",)),
    LogFormat("oasst", "OpenAssistant's trees, or their messages", oasst.OasstReader(), oasst.recognises),
    LogFormat("telegram", "Telegram's export, JSON", telegram.TelegramReader(), telegram.recognises, people=True),
    LogFormat("whatsapp", "WhatsApp's exported chat, a text", whatsapp.WhatsappReader(), whatsapp.recognises,
              people=True),
    LogFormat("messages", "OpenAI chat, ShareGPT, LangChain, LMSYS, WildChat", messages.READER, messages.recognises,
              messages.MessagesWriter(), ".jsonl", ("model",)),
    LogFormat("sharegpt", "as messages; written with from and value", messages.READER, _never,
              messages.MessagesWriter(True), ".jsonl"),
    LogFormat("trl", "TRL's rows: prompt and completion, or chosen", trl.READER, trl.recognises),
    LogFormat("ultrachat", "UltraChat: texts in turn as data", ultrachat.READER, ultrachat.recognises),
    LogFormat("csv", "rows with named columns, see --columns", table.TableReader(), table.recognises,
              table.TableWriter(), ".csv"),
)  # fmt: skip
#: Name -> format.
FORMATS: dict[str, LogFormat] = {log_format.word: log_format for log_format in _FORMATS}
#: Those that can be written.
WRITTEN: dict[str, LogFormat] = {word: form for word, form in FORMATS.items() if form.writer is not None}


@cache
def known_formats() -> dict[str, LogFormat]:
    """Return the formats by name: those that other packages bring before ours, since they know their own marks."""
    brought: dict[str, LogFormat] = {}

    def take(word: str, value: object) -> None:
        if not isinstance(value, LogFormat):
            raise TypeError(f"a log format is a LogFormat, not {type(value).__name__}")
        if word in FORMATS or word != value.word:
            raise ValueError(f"the name {word!r} is taken, or not the format's own ({value.word!r})")
        brought[word] = value

    register_all("holdfast.log_formats", take)
    return brought | FORMATS


def format_named(word: str) -> LogFormat:
    """Return the format of that name.

    Raises:
        InputError: it is unknown.
    """
    known = known_formats()
    if word not in known:
        raise InputError(f"unknown format {quote(word)}{did_you_mean(word, known)} (allowed: {', '.join(known)})")
    return known_formats()[word]


def written_format(word: str) -> LogFormat:
    """Return the format of that name, which can be written.

    Raises:
        InputError: it is unknown, or only read.
    """
    if format_named(word).writer is None:
        raise InputError(f"the format {word} is only read (written are: {', '.join(WRITTEN)})")
    return known_formats()[word]


def recognise(path: Path) -> LogFormat:
    """Return the format of a file, by what it begins with.

    Raises:
        InputError: it cannot be recognised, with what was seen; it is absent, empty, or no file.
    """
    file = glimpse(path)
    for log_format in known_formats().values():
        if log_format.recognises(file):
            return log_format
    listed = "; ".join(f"{form.word}: {form.about}" for form in known_formats().values())
    said = f"its format cannot be recognised. Seen: {file.seen}. Name the format with --format ({listed})"
    raise InputError([Fault(printable(os.fspath(path)), said)])
