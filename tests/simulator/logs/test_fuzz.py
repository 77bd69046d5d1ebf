"""Broken files: no traceback, no hang, every skip counted, whatever is in them."""

from __future__ import annotations

import json
import random
import time
import warnings
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import HoldfastError, InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.protocols import ReadOptions
from holdfast.simulator.logs.records import SCALES, Conversation
from holdfast.simulator.logs.registry import FORMATS, WRITTEN, recognise
from holdfast.simulator.logs.sources import open_sources
from holdfast.simulator.logs.turns import turns_of
from tests.simulator.logs.conftest import small
from tests.simulator.logs.mutations import bomb, mutate
from tests.simulator.logs.samples import ASSISTANT, SAMPLES

MADE = {
    **{word: FORMATS[word].suffix for word in WRITTEN if word != "journal"},
    "sage csv": ".csv",
    "journal": ".sqlite",
}
SECONDS = 20.0  # of CPU for one file: far above what a hang would stop at, far below a hang


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """Bytes of a valid file of each format."""
    folder = tmp_path_factory.mktemp("valid")
    files = {}
    for name, suffix in MADE.items():
        word = name.split()[0]
        path = folder / f"{word}{suffix}"
        if word == "journal":
            FORMATS[word].writer.write([small(n) for n in range(3)], folder / "run")
            path = folder / "run" / "journal.sqlite"
        else:
            FORMATS[word].writer.write([small(n) for n in range(3)], path)
        files[name] = path.read_bytes()
    return files | SAMPLES


def check(name: str, path, outcomes: Counter[str]) -> None:
    """One file through recognising, reading and measuring."""
    word, began = name.split(maxsplit=1)[0], time.process_time()
    with suppress(HoldfastError):  # which is what a user sees, with exit code 1 or 2; anything else is a traceback
        recognise(path)
    found = []
    try:
        for one in FORMATS[word].reader.read(path, ReadOptions(assistant=ASSISTANT.get(word, ""))):
            assert isinstance(one, (Conversation, SkippedLine))
            found.append(one)
    except HoldfastError:
        outcomes["refused as a whole"] += 1
        return
    skips = [one for one in found if isinstance(one, SkippedLine)]
    for one in found:
        assert one.place
        if isinstance(one, Conversation):
            check_conversation(one)
    try:
        sources = open_sources([path], word, assistant=ASSISTANT.get(word))
        results, tallies = measure_files(sources, workers=1, draws=5)
    except InputError:
        assert len(skips) + sum(no_turns(one) for one in found) >= len(found)
        outcomes["nothing to measure"] += 1
    else:
        results.model_dump_json().encode("utf-8")
        without = tallies.without_turns
        assert results.skipped.total == len(skips) + without == sum(tallies.skipped.values())
        assert results.conversations == len(found) - len(skips) - without
        outcomes["measured, with skips" if skips else "measured"] += 1
    assert time.process_time() - began < SECONDS


def no_turns(one: Conversation | SkippedLine) -> bool:
    """Whether a conversation holds no reply to a user, nor a label before one."""
    if isinstance(one, SkippedLine):
        return False
    turns = turns_of(one.messages)
    return not turns.turns and not turns.before


def check_conversation(one: Conversation) -> None:
    one.id.encode("utf-8")
    one.speaker.encode("utf-8")
    json.dumps(dict(one.columns), ensure_ascii=False).encode("utf-8")
    for labels in (one.labels, *(m.labels for m in one.messages)):
        for name, value in labels.items():
            low, high = SCALES.get(name, (-1e9, 1e9))
            assert low <= value <= high
    for message in one.messages:
        message.text.encode("utf-8")


def run(valid, folder, count: int, seed: int) -> Counter[str]:
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    names = [*MADE, *SAMPLES]
    path = folder / "broken"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(count):
            name = names[number % len(names)]
            path.write_bytes(mutate(valid[name], rng, zipped=name == "sense7"))
            check(name, path, outcomes)
    assert outcomes.total() == count
    return outcomes


def test_some_broken_files(valid, tmp_path):
    outcomes = run(valid, tmp_path, 90, seed=1)
    assert outcomes["measured"] + outcomes["measured, with skips"] > 15  # the files are broken, not destroyed
    assert outcomes["measured, with skips"] > 5


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_broken_files(valid, tmp_path):
    outcomes = run(valid, tmp_path, 10_000, seed=2)
    print(dict(outcomes))
    assert outcomes["measured, with skips"] > 500


def test_a_zip_bomb_is_not_unpacked(valid, tmp_path):
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(bomb(valid["sense7"], random.Random(0)))
    assert path.stat().st_size < 400_000
    (skip,) = FORMATS["sense7"].reader.read(path)
    assert skip.reason == "unpacks to more than 150,000,000 bytes"


def test_every_line_of_a_broken_log_is_accounted_for(valid, tmp_path):
    good = valid["messages"].splitlines()
    lines = [
        good[0],
        b"",
        b"{not json",
        b"\xff\xfe",
        b'{"messages": 3}',
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
    ]
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join([*lines, good[1]]) + b"\n")
    found = list(FORMATS["messages"].reader.read(path))
    told = [one if isinstance(one, str) else getattr(one, "reason", "read") for one in found]
    assert told == ["read", "not JSON", "not UTF-8", "no messages", "nested too deeply", "not JSON", "read"]
    assert [one.place.rsplit(":", 1)[1] for one in found] == ["1", "3", "4", "5", "6", "7", "8"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "messages",
    "conversations",
    "role",
    "content",
    "from",
    "value",
    "labels",
    "dialog",
    "speaker",
    "annotation",
    "turns",
)
KEYS += (
    "text",
    "history",
    "emo_point",
    "emotion-point",
    "survey_score",
    "seeker",
    "id",
    "metadata",
    "planned_turns",
    "chars",
)
SHAPED = st.recursive(
    VALUES | st.sampled_from(["user", "assistant", "system", "seeker", "supporter", "human", "gpt"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)


@pytest.mark.parametrize("word", ["messages", "esconv", "sage", "sdialog"])
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=SHAPED)
def test_any_json_at_all(word, value, tmp_path):
    path = tmp_path / "any.jsonl"
    path.write_text(json.dumps({"messages": value} if word == "messages" else value) + "\n{}\n", encoding="utf-8")
    check(word, path, Counter())


@pytest.mark.parametrize("word", ["csv", "ieval", "sage"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.lists(st.text(max_size=12) | st.sampled_from(["1", "user", "nan", "40", '"']), max_size=14), max_size=8
    )
)
def test_any_cells_at_all(word, rows, valid, tmp_path):
    header = valid["sage csv" if word == "sage" else word].splitlines()[0]
    body = "\r\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass")
    (tmp_path / "any.csv").write_bytes(header + b"\r\n" + body)
    check(word, tmp_path / "any.csv", Counter())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_sound(name, tmp_path):
    path, word = tmp_path / "sample", name.split()[0]
    path.write_bytes(SAMPLES[name])
    assert recognise(path).word == word
    sources = open_sources([path], assistant=ASSISTANT.get(word))
    results, _ = measure_files(sources, workers=1, draws=5)
    assert results.conversations == (1 if word in ASSISTANT else 3)
    assert (results.turns, results.skipped.total) == (3 * results.conversations, 0)
