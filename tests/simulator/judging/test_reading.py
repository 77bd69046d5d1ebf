"""Messages JSONL to passages: what is rated, what is skipped and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Fault, InputError
from holdfast.simulator.judging.reading import SourcedPassage, _passages, read_passages
from holdfast.simulator.judging.run import collect

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
    return list(read_passages(path, **options))


def test_every_reply_with_what_came_before_but_no_system_prompt(tmp_path: Path) -> None:
    first, second = read(tmp_path / "a.jsonl", line(*TALK))
    assert isinstance(first, SourcedPassage)
    assert isinstance(second, SourcedPassage)
    assert [message.content for message in first.passage.messages] == ["Hi", "Hello"]
    assert [message.content for message in second.passage.messages] == ["Hi", "Hello", "I failed", "Sorry"]
    assert (second.line, second.turn, second.rated) == (1, 2, "Sorry")


def test_a_whole_dialogue_is_one_passage(tmp_path: Path) -> None:
    [one] = read(tmp_path / "a.jsonl", line(*TALK), whole=True)
    assert isinstance(one, SourcedPassage)
    assert (one.passage.whole, one.turn, one.rated) == (True, 2, "Hello\nSorry")


def test_parts_and_tools(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Sorry"}, {"type": "image_url", "image_url": {}}]
    [one] = read(tmp_path / "a.jsonl", line(("user", "Hi"), ("tool", "42"), ("assistant", None), ("assistant", parts)))
    assert isinstance(one, SourcedPassage)
    assert one.rated == "Sorry"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "is no JSON object"),
        ("[1]", 'has no list under "messages"'),
        ('{"turns": []}', 'has no list under "messages"'),
        ('{"messages": [1]}', "message 1 has no role"),
        (line(("user", "Hi")), "holds no reply of an assistant to a user"),
        (line(("assistant", "Hi")), "holds no reply of an assistant to a user"),
        (line(("user", "Hi"), ("assistant", "  ")), "holds no reply of an assistant to a user"),
    ],
)
def test_a_line_without_a_conversation_is_told_with_its_number(tmp_path: Path, text: str, message: str) -> None:
    one, fault = read(tmp_path / "a.jsonl", line(("user", "Hi"), ("assistant", "Hello")), text)
    assert isinstance(one, SourcedPassage)
    assert isinstance(fault, Fault)
    assert fault.line == 2
    assert message in fault.message


@given(st.one_of(st.text(max_size=60), JSON.map(json.dumps)))
@settings(max_examples=300, deadline=None)
def test_no_line_raises(text: str) -> None:
    assert all(isinstance(one, SourcedPassage | Fault) for one in _passages("f", 1, text, whole=False))


def test_nothing_to_rate_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("nonsense\n")
    with pytest.raises(InputError, match=r"bad.jsonl:1: is no JSON object"):
        collect([tmp_path / "bad.jsonl"], whole=False, limit=None)
    with pytest.raises(InputError, match=r"no such file; did you mean 'bad.jsonl'"):
        collect([tmp_path / "bda.jsonl"], whole=False, limit=None)
    with pytest.raises(InputError, match="cannot be read"):
        collect([tmp_path], whole=False, limit=None)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="is empty"):
        collect([tmp_path / "empty.jsonl"], whole=False, limit=None)
