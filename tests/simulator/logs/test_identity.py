"""Conversations and people stay apart: as read, as measured, and through every format."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.simulator.logs.convert import convert_files
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import WRITTEN
from holdfast.simulator.logs.sources import open_sources, read_all
from holdfast.simulator.logs.values import id_of

SAID = [{"role": "user", "content": "Hm."}, {"role": "assistant", "content": "I am so sorry."}]
LONG = "x" * 300


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "1"), ("1", "1"), (1.0, "1.0"), (1234567.0, "1234567.0"), (1234568.0, "1234568.0"), (0.1, "0.1"),
        (10**40, "1" + "0" * 40), (True, "true"), (" a ", " a "), ("  ", ""), (float("nan"), ""), (None, ""),
        ([1], ""), ({"$oid": "f0"}, "f0"), ({"id": 7, "name": "Ann"}, "7"), ({"id": {"id": 1}}, ""), (LONG, LONG),
    ],
)  # fmt: skip
def test_ids_are_kept_exactly(value, name):
    assert id_of(value) == name


def test_very_long_ids_stay_apart():
    first, second = id_of("y" * 5000 + "1"), id_of("y" * 5000 + "2")
    assert first != second
    assert len(first) < 250


def log(path: Path, ids: list[object], **about: object) -> Path:
    rows = [{"id": id, "user_id": f"p{n}", **about, "messages": SAID} for n, id in enumerate(ids)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_namesakes_are_told_and_kept_apart(tmp_path):
    path = log(tmp_path / "a.jsonl", ["s", "s", "t", "s#2", "s"])
    ids = [entry.id for entry in read_all(open_sources([path])) if isinstance(entry, Conversation)]
    assert ids == ["s", "s#2", "t", "s#2#2", "s#3"]
    results, _ = measure_files(open_sources([path]))
    assert (results.conversations, results.repeated_ids) == (5, 3)
    assert any(note.startswith("3 conversations have the id of an earlier one (first 's' at") for note in results.notes)


ODD_IDS = ["same", "same", "same ", " same", "Same", "same#2", "1", "1.0", "01", "é", "e\u0301", LONG + "a", LONG + "b",
           "y" * 40_000 + "1", "y" * 40_000 + "2", "a\nb", "a b", "a\tb", "a\x01b", "a\x02b", '"', "a,b", "=1+1", "a/b",
           "a/b/c", "\u202e"]  # fmt: skip
ODD_PEOPLE = ["p", "p", "P", "p ", "1", "1.0", LONG + "a", LONG + "b", "a/b", "q\nr", "q r", "ü", "u\u0308"]


def counted(path: Path) -> tuple[int, int, Counter[int], Counter[str]]:
    """Conversations, different ids, how many have how many turns, and how many conversations each person has."""
    back = [entry for entry in read_all(open_sources([path])) if isinstance(entry, Conversation)]
    sizes = Counter(sum(m.role == "assistant" for m in each.messages) for each in back)
    return len(back), len({each.id for each in back}), sizes, Counter(sorted(Counter(e.speaker for e in back).values()))


KEEP_NOBODY = {"esconv"}  # has no place for people


@pytest.mark.parametrize("word", WRITTEN)
def test_every_format_keeps_conversations_and_people_apart(word, tmp_path):
    rows = []
    for number, id in enumerate(ODD_IDS):
        messages = SAID * (1 + number % 3)
        rows.append({"id": id, "user_id": ODD_PEOPLE[number % len(ODD_PEOPLE)], "model": "m", "messages": messages})
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / f"out{WRITTEN[word].suffix}"
    done = convert_files(open_sources([path]), WRITTEN[word], out)
    assert done.conversations == len(ODD_IDS)
    total, ids, sizes, people = counted(out)
    assert (total, ids, sizes) == (len(ODD_IDS), len(ODD_IDS), counted(path)[2])
    if word not in KEEP_NOBODY:
        assert people == counted(path)[3]


@pytest.mark.parametrize("word", ["csv", "sage", "ieval", "journal", "sdialog"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.text(alphabet=st.sampled_from('ab#2 \n\t",;/=\u00e9'), max_size=5), min_size=1, max_size=6))
def test_any_ids_at_all(word, ids, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ids")
    path = log(folder / "a.jsonl", list(ids))
    out = folder / f"out{WRITTEN[word].suffix}"
    convert_files(open_sources([path]), WRITTEN[word], out)
    assert counted(out)[:3] == (len(ids), len(ids), Counter({1: len(ids)}))


def test_files_are_pooled_aloud_and_kept_apart_on_demand(tmp_path):
    """Two runs of candidates with the same names."""
    for name, reply in (("a", "I am so sorry."), ("b", "Use a table.")):
        said = [SAID[0], {"role": "assistant", "content": reply}]
        rows = [{"id": f"{name}{n}", "user_id": f"p{n}", "model": f"m{n % 2}", "messages": said} for n in range(4)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sources = open_sources([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    results, _ = measure_files(sources)
    assert list(results.groups) == ["m0", "m1"]
    (note,) = [note for note in results.notes if "pooled" in note]
    pooled = "group 'm0' is pooled from several files (a.jsonl, b.jsonl), and 1 more group is too"
    assert note == f"{pooled}; --by file keeps files apart"
    results, _ = measure_files(sources, by=["file", "model"])
    assert list(results.groups) == ["a.jsonl/m0", "a.jsonl/m1", "b.jsonl/m0", "b.jsonl/m1"]
    assert not any("pooled" in note for note in results.notes)
    means = [group.measures["expressed"].mean.mean for group in results.groups.values()]
    assert means[0] == means[1] > means[2] == means[3]


def test_folders_of_one_name_are_told_apart(tmp_path):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        log(tmp_path / name / "log.jsonl", ["1"])
    sources = open_sources([tmp_path])
    assert [source.name for source in sources] == [str(tmp_path / name / "log.jsonl") for name in ("x", "y")]


def test_the_speaker_of_messages_is_who_writes_as_the_user(tmp_path):
    (tmp_path / "a.csv").write_text(
        "chat_id,role,text,user_id\nc,assistant,Hello.,bot\nc,user,Hm.,ann\nc,assistant,I am so sorry.,bot\n"
    )
    (entry,) = read_all(open_sources([tmp_path / "a.csv"]))
    assert isinstance(entry, Conversation)
    assert entry.speaker == "ann"
    assert entry.messages[0] == LogMessage("assistant", "Hello.")
