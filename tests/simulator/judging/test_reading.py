"""Logs to passages: what is rated, what is skipped and told; whatever measure reads."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Fault, InputError
from holdfast.simulator.judging.reading import SourcedPassage, read_passages
from holdfast.simulator.judging.run import collect
from holdfast.simulator.logs.sources import open_sources

TALK = [("system", "Be warm."), ("user", "Hi"), ("assistant", "Hello"), ("user", "I failed"), ("assistant", "Sorry")]

KEYS = st.sampled_from(["messages", "role", "content"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


def line(*messages: tuple[str, object]) -> str:
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in messages]})


def read(path: Path, *lines: str, **options: bool) -> list[SourcedPassage | Fault]:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(read_passages(open_sources([path], "messages"), **options))


def test_every_reply_with_what_came_before_but_no_system_prompt(tmp_path: Path) -> None:
    first, second = read(tmp_path / "a.jsonl", line(*TALK))
    assert isinstance(first, SourcedPassage)
    assert isinstance(second, SourcedPassage)
    assert [message.content for message in first.passage.messages] == ["Hi", "Hello"]
    assert [message.content for message in second.passage.messages] == ["Hi", "Hello", "I failed", "Sorry"]
    assert (second.line, second.turn, second.rated) == (1, 2, "Sorry")


def test_a_whole_dialogue_is_one_passage(tmp_path: Path) -> None:
    [passage] = read(tmp_path / "a.jsonl", line(*TALK), whole=True)
    assert isinstance(passage, SourcedPassage)
    assert (passage.passage.whole, passage.turn, passage.rated) == (True, 2, "Hello\nSorry")


def test_parts_and_tools_and_thoughts(tmp_path: Path) -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Sorry"}, {"type": "image_url"}]
    talk = (("user", "Hi"), ("tool", "42"), ("assistant", None), ("assistant", parts), ("user", "And?"))
    first, second = read(tmp_path / "a.jsonl", line(*talk, ("assistant", "<think>So sorry?</think>Use a table.")))
    assert isinstance(first, SourcedPassage)
    assert isinstance(second, SourcedPassage)
    assert first.rated == "Sorry"
    assert [message.content for message in second.passage.messages] == ["Hi", "Sorry", "And?", "Use a table."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "not JSON"),
        ("[1]", "no messages"),
        ('{"turns": []}', "no messages (expected one of messages"),
        ('{"messages": [1]}', "left out: not a message (1)"),
        (line(("user", "Hi")), "holds no reply of an assistant to a user"),
        (line(("assistant", "Hi")), "holds no reply of an assistant to a user"),
        (line(("user", "Hi"), ("assistant", "  ")), "holds no reply of an assistant to a user"),
    ],
)
def test_a_line_without_a_conversation_is_told_with_its_number(tmp_path: Path, text: str, message: str) -> None:
    passage, fault = read(tmp_path / "a.jsonl", line(("user", "Hi"), ("assistant", "Hello")), text)
    assert isinstance(passage, SourcedPassage)
    assert isinstance(fault, Fault)
    assert fault.line == 2
    assert message in fault.message


@given(st.one_of(st.text(max_size=60), JSON.map(json.dumps)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_raises(tmp_path: Path, text: str) -> None:
    assert all(isinstance(each, SourcedPassage | Fault) for each in read(tmp_path / "a.jsonl", line(*TALK), text))


def test_nothing_to_rate_is_an_error_that_says_why(tmp_path: Path) -> None:
    def rated(path: Path) -> object:
        return collect(open_sources([path]), whole=False)

    (tmp_path / "bad.jsonl").write_text('{"messages": [\n')
    with pytest.raises(InputError, match=r"bad.jsonl: its format cannot be recognised.*Seen: no value.*not JSON"):
        rated(tmp_path / "bad.jsonl")
    with pytest.raises(InputError, match=r"no such file; did you mean 'bad.jsonl'"):
        rated(tmp_path / "bda.jsonl")
    with pytest.raises(InputError, match="is a folder without a log that can be read"):
        rated(tmp_path)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="is empty"):
        rated(tmp_path / "empty.jsonl")


def test_whatever_measure_reads_is_judged(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("conversation;role;text\na;user;Hi\na;assistant;Hello\n")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(line(*TALK).encode()))
    rated = collect(open_sources([tmp_path]), whole=False)
    assert [(passage.conversation.rsplit("/")[-1], passage.turn, passage.rated) for passage in rated.passages] == [
        ("a", 1, "Hello"),
        ("b.jsonl.gz:1", 1, "Hello"),
        ("b.jsonl.gz:1", 2, "Sorry"),
    ]


def test_a_sample_takes_equally_many_replies_of_each_conversation(tmp_path: Path) -> None:
    lengths = {"long": 9, "short": 2, "one": 1}
    for name, replies in lengths.items():
        (tmp_path / f"{name}.jsonl").write_text(line(*[("user", "Hi"), ("assistant", "Hello")] * replies))

    def drawn(count: int, seed: int) -> list[tuple[str, int]]:
        rated = collect(open_sources([tmp_path]), whole=False, sample=count, seed=seed)
        return [(Path(each.file).stem, each.turn) for each in rated.passages]

    six = drawn(6, seed=1)
    assert Counter(name for name, _ in six) == {"long": 3, "short": 2, "one": 1}
    assert six == sorted(six, key=lambda each: (sorted(lengths).index(each[0]), each[1]))
    assert drawn(6, seed=1) == six
    assert set(drawn(3, seed=1)) < set(six)  # a larger sample goes on from a smaller one
    turns = Counter(turn for seed in range(300) for name, turn in drawn(3, seed) if name == "long")
    assert set(turns) == set(range(1, 10))
    assert all(15 <= n <= 55 for n in turns.values())  # 300 draws of nine turns: 33 each
    firsts = Counter(drawn(1, seed)[0][0] for seed in range(90))
    assert all(15 <= firsts[name] <= 45 for name in lengths)
    assert len(drawn(99, seed=1)) == 12
