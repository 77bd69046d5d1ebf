"""Logs of conversations: ids that could merge, rows that are lost between others, and files broken in every way."""

from __future__ import annotations

import csv
import io
import json
import random
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from holdfast.core.errors import InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.registry import FORMATS, WRITTEN
from holdfast.simulator.logs.sources import open_sources, read_all
from tests.campaign.replies import speech
from tests.campaign.talks import expressed_mean
from tests.campaign.tries import Scene, command, equal, holds, same_figure
from tests.simulator.logs.conftest import small
from tests.simulator.logs.mutations import mutate
from tests.simulator.logs.samples import SAMPLES
from tests.simulator.logs.test_fuzz import MADE, check

LONG = "x" * 300
IDS: tuple[Any, ...] = (
    1, 2, "1 ", "01", "1.00", 1234567.0, 1234568.0, 0.1, 0.10000000000000002, 9007199254740992, 9007199254740993,
    10**40, 10**40 + 1, "a", "A", " a", "a\n", "a\tb", "a b", "a#2", "é",
    "e\u0301", LONG + "1", LONG + "2", "y" * 9000 + "1",
    "y" * 9000 + "2", "\u202e", "a/b", "=1+1", '"', "a,b", "a;b", "-", "nan", "null", "None", "true", "0x1", "1e3",
    "1000.5",
)  # fmt: skip


def talks(rng: random.Random, number: int) -> list[list[tuple[str, str]]]:
    """Conversations of messages and replies, each text only once in the log."""
    texts = [f"{speech(rng)} It is {n}." for n in range(8 * number)]
    return [[(f"I am at {4 * n + turn}.", texts.pop()) for turn in range(rng.randint(1, 4))] for n in range(number)]


def messages(chat: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"role": role, "content": text} for pair in chat for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


def back(path: Path, **how: Any) -> list[Conversation]:
    """The conversations that are read from a file."""
    return [entry for entry in read_all(open_sources([path], **how)) if isinstance(entry, Conversation)]


def pairs(conversation: Conversation) -> list[tuple[str, str]]:
    """Every message and the reply to it."""
    said = conversation.messages
    return [(first.text, second.text) for first, second in zip(said[::2], said[1::2], strict=False)]


def ids(scene: Scene) -> str:
    """No two conversations become one, and no two people, in any container and through every format."""
    rng = scene.rng
    container = rng.choice(("jsonl", "rows", "parquet", "csv"))
    kind = rng.choice((float, int, str)) if container == "parquet" else object
    choice = [id for id in IDS if isinstance(id, kind) and not (kind is int and id > 1 << 62)]
    drawn = rng.sample(choice, min(len(choice), rng.randint(3, 12)))
    people = [rng.choice(IDS) for _ in drawn]
    chats = talks(rng, len(drawn))
    path = scene.folder / f"log.{container.replace('rows', 'rows.jsonl')}"
    if container == "jsonl":
        about = zip(drawn, people, chats, strict=True)
        lines = [{"id": id, "user_id": who, "messages": messages(chat)} for id, who, chat in about]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    else:
        drawn = [id for id in drawn if not isinstance(id, str) or id.strip() == id]
        rows = [
            {"conversation_id": id, "role": message["role"], "text": message["content"]}
            for id, chat in zip(drawn, chats, strict=False) for message in messages(chat)
        ]  # fmt: skip
        write_rows(path, rows, container)
    chats = chats[: len(drawn)]
    read = back(path)
    equal(len(read), len(drawn), f"conversations of {drawn}")
    equal(len({each.id for each in read}), len(drawn), f"ids of {drawn}: {[each.id[:50] for each in read]}")
    equal([pairs(each) for each in read], chats, "messages and replies")
    results, _ = measure_files(open_sources([path]), draws=5)
    equal((results.conversations, results.turns), (len(drawn), sum(map(len, chats))), "conversations, turns measured")
    if container == "jsonl":
        named = Counter(map(repr, people))
        own = Counter(each.speaker for each in read)
        equal(sorted(own.values()), sorted(named.values()), f"conversations by person of {people}")
    word = rng.choice([word for word in WRITTEN if word != "sense7"])
    out = scene.folder / f"out{WRITTEN[word].suffix}"
    command("convert", path, "--to", word, "--out", out, "-q").expect(0)
    again = [pairs(each) for each in back(out)]
    equal(sorted(again), sorted(chats), f"messages and replies through {word}")
    return f"{container} to {word}"


def write_rows(path: Path, rows: list[dict[str, Any]], container: str) -> None:
    """Rows of messages as JSON lines, Parquet or CSV."""
    if container == "rows":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif container == "parquet":
        import pandas

        pandas.DataFrame(rows).to_parquet(path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def columns(scene: Scene) -> str:
    """Columns without a name or with one that stands twice: read aright, or refused with the place; never mixed up."""
    rng = scene.rng
    name = rng.choice(("unnamed index", "unnamed last", "twice", "twice in blank", "two unnamed"))
    header = {
        "unnamed index": ["", "conversation", "role", "text"], "unnamed last": ["conversation", "role", "text", ""],
        "twice": ["conversation", "role", "text", "text"], "twice in blank": ["conversation", "role", "text", "text "],
        "two unnamed": ["", "conversation", "", "role", "text"],
    }[name]  # fmt: skip
    chats = talks(rng, rng.randint(2, 4))
    out = io.StringIO()
    delimiter = rng.choice(",;\t")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(header)
    number = 0
    for place, chat in enumerate(chats):
        for message in messages(chat):
            cells = {"conversation": f"c{place}", "role": message["role"], "text": message["content"]}
            row = [cells.get(column, f"other {number}") for column in header]
            row[header.index("text")] = message["content"]
            if name == "twice":
                row[-1] = "another text"
            writer.writerow(row)
            number += 1
    path = scene.folder / "log.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    if name.startswith("twice"):
        command("measure", path, "-q").expect(2).says("column names that stand twice, such as 'text'", "log.csv:1")
        return "refused"
    equal([pairs(each) for each in back(path)], chats, name)
    return "read"


#: Ways to break a row of a table whose cells are conversation, role and text.
BREAKS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "too many cells": lambda row, rng: row + b",x,y",
    "too few cells": lambda row, rng: row.split(b",")[0],
    "no UTF-8": lambda row, rng: row[: len(row) // 2] + b"\xff\xfe\x81" + row[len(row) // 2 :],
    "no role": lambda row, rng: row.replace(b",user,", b",,").replace(b",assistant,", b",,"),
    "another role": lambda row, rng: row.replace(b",user,", b",moderator,").replace(b",assistant,", b",moderator,"),
    "no id": lambda row, rng: b"," + row.split(b",", 1)[1],
    "quoted wrong": lambda row, rng: b'"x"y,' + row.split(b",", 1)[1],
    "zero byte": lambda row, rng: row.replace(b",", b"\0,", 1),
}


def lost_rows(scene: Scene) -> str:
    """A row that cannot be used pairs no message with another's reply, and is told."""
    rng = scene.rng
    chats = talks(rng, rng.randint(3, 8))
    rows = [
        f"c{place},{message['role']},{message['content']}".encode()
        for place, chat in enumerate(chats) for message in messages(chat)
    ]  # fmt: skip
    broken, names = set(rng.sample(range(len(rows)), rng.randint(1, 2))), []
    for place in broken:
        name = rng.choice(list(BREAKS))
        names.append(name)
        rows[place] = BREAKS[name](rows[place], rng)
    path = scene.folder / "log.csv"
    path.write_bytes(b"\n".join([b"conversation,role,text", *rows]) + b"\n")
    true_pairs = {pair for chat in chats for pair in chat}
    whole = {tuple(chat) for chat in chats}
    try:
        entries = list(read_all(open_sources([path])))
    except InputError as error:
        holds("log.csv" in str(error), f"the error names no file: {error}")
        return "refused"
    for entry in entries:
        if isinstance(entry, Conversation):
            holds(set(pairs(entry)) <= true_pairs, f"{names}: paired anew: {set(pairs(entry)) - true_pairs}")
            holds(tuple(pairs(entry)) in whole, f"{names}: a conversation is there in part: {pairs(entry)}")
    kept = sum(isinstance(entry, Conversation) for entry in entries)
    told = [entry for entry in entries if isinstance(entry, SkippedLine)]
    holds(told or kept == len(chats), "rows are lost without a word")
    holds(kept + 2 * 3 >= len(chats), f"{len(chats) - kept} of {len(chats)} conversations lost to {names}")
    return "whole ones kept" if kept else "none kept"


def lost_messages(scene: Scene) -> str:
    """Broken lines and messages of JSON logs take their own conversation along, and no other."""
    rng = scene.rng
    chats = talks(rng, rng.randint(3, 8))
    lines, kept = [], []
    for number, chat in enumerate(chats):
        said: list[Any] = messages(chat)
        how = rng.choice(("whole", "whole", "no JSON", "null message", "role", "shape", "cut"))
        if how == "null message":
            said.insert(rng.randrange(len(said)), None)
        elif how == "role":
            said.insert(rng.randrange(len(said)), {"role": "moderator", "content": "Stop."})
        elif how == "shape":
            said[rng.randrange(len(said))]["content"] = {"blob": "x"}
        line = json.dumps({"id": f"c{number}", "messages": said})
        lines.append({"no JSON": "{" + line, "cut": line[: len(line) // 2]}.get(how, line))
        kept += [chat] if how == "whole" else []
    path = scene.folder / "log.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not kept:
        command("measure", path, "-q").expect(2).says("log.jsonl")
        return "none left"
    equal([pairs(each) for each in back(path)], kept, "conversations that are whole")
    results, _ = measure_files(open_sources([path]), draws=5)
    equal((results.conversations, results.turns), (len(kept), sum(map(len, kept))), "conversations, turns")
    equal(results.skipped.total, len(chats) - len(kept), "skips")
    mean, expected = results.groups["all"].measures["expressed"].mean.mean, expressed_mean(kept)
    holds(same_figure(mean, expected), f"expressed {mean}, expected {expected}")
    return "the rest measured"


@cache
def valid() -> Mapping[str, bytes]:
    """A valid file of each format."""
    files = {}
    with TemporaryDirectory() as root:
        for name, suffix in MADE.items():
            word, path = name.split()[0], Path(root) / f"{name.split()[0]}{suffix}"
            if word == "journal":
                FORMATS[word].writer.write([small(n) for n in range(3)], Path(root) / "run")
                path = Path(root) / "run" / "journal.sqlite"
            else:
                FORMATS[word].writer.write([small(n) for n in range(3)], path)
            files[name] = path.read_bytes()
    return files | SAMPLES


def fuzz_logs(scene: Scene) -> str:
    """Broken files of every format are read and measured, or refused; every skip is counted."""
    rng, outcomes = scene.rng, Counter[str]()
    names, path = [*MADE, *SAMPLES], scene.folder / "broken"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(scene.size):
            name = rng.choice(names)
            path.write_bytes(mutate(valid()[name], rng, zipped=name == "sense7"))
            try:
                check(name, path, outcomes)
            except Exception as error:
                error.add_note(f"a broken {name}: {path.read_bytes()[:2000]!r}")
                raise
    equal(outcomes.total(), scene.size, "files")
    return "as expected" if outcomes["measured, with skips"] else "hardly read"
