"""Every shape of a message in the field: its text, its thoughts, and why there is no text where there is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.message_content import read_content, read_message, repaired

#: Content -> text, thoughts.
CONTENT: list[tuple[Any, str, str]] = [
    ("Hi", "Hi", ""),
    ("<think>a</think>Hi", "Hi", "a"),
    (["I am so sorry.", "What happened?"], "I am so sorry.\nWhat happened?", ""),
    (["I am ", "so sorry."], "I am so sorry.", ""),
    (["I am s", "o sorry", "."], "I am so sorry.", ""),
    ([{"type": "text", "text": "Hi"}], "Hi", ""),
    ({"type": "text", "text": "Hi"}, "Hi", ""),
    ([{"type": "output_text", "text": "Hi", "annotations": []}], "Hi", ""),
    ([{"type": "text", "text": {"value": "Hi", "annotations": []}}], "Hi", ""),
    ([[{"text": "Hi"}]], "Hi", ""),
    ({"content_type": "text", "parts": ["Hi"]}, "Hi", ""),
    ({"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "Hi"]}, "Hi", ""),
    ({"content_type": "audio_transcription", "text": "Hi"}, "Hi", ""),
    ({"content_type": "thoughts", "thoughts": [{"summary": "a", "content": "b"}]}, "", "a\nb"),
    ([{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, {"type": "text", "text": "Hi"}], "Hi", "a"),
    ([{"type": "thinking", "thinking": "a", "signature": "x"}, {"type": "text", "text": "Hi"}], "Hi", "a"),
    ([{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Hi"}], "Hi", ""),
    ([{"type": "reasoning", "reasoning": "a"}, {"type": "text", "text": "Hi"}], "Hi", "a"),
    ([{"text": "a", "thought": True}, {"text": "Hi"}], "Hi", "a"),
    ([{"reasoningContent": {"reasoningText": {"text": "a"}}}, {"text": "Hi"}], "Hi", "a"),
    (
        [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        ],
        "Hi",
        "a",
    ),
    ([{"type": "tool_result", "content": "found"}, {"type": "text", "text": "Hi"}], "Hi", ""),
    (["<think>a", "b</think>Hi"], "Hi", "ab"),
]

#: A message -> text, thoughts.
MESSAGES: list[tuple[Any, str, str]] = [
    ({"role": "assistant", "content": "Hi"}, "Hi", ""),
    ({"content": "Hi", "reasoning_content": "a"}, "Hi", "a"),
    ({"content": "Hi", "thinking": "a"}, "Hi", "a"),
    ({"content": "Hi", "reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a"}]}, "Hi", "a"),
    ({"content": "Hi", "reasoning_details": [{"type": "reasoning.summary", "summary": "a"}]}, "Hi", "a"),
    ({"content": "Hi", "additional_kwargs": {"reasoning_content": "a"}}, "Hi", "a"),
    ({"content": None, "audio": {"transcript": "Hi", "data": ""}}, "Hi", ""),
    ({"role": "model", "parts": [{"text": "Hi"}]}, "Hi", ""),
    ("Hi", "Hi", ""),
]

#: A message without text -> why.
WITHOUT_TEXT: list[tuple[Any, str]] = [
    ({"content": None}, "an empty message"),
    ({"content": " \n"}, "an empty message"),
    ({"role": "assistant"}, "an empty message"),
    (None, "an empty message"),
    ({"content": None, "reasoning_content": "a"}, "thoughts only"),
    ({"content": "<think>a"}, "thoughts only"),
    ({"content": None, "tool_calls": [{"type": "function", "function": {"name": "find"}}]}, "a tool call (find)"),
    ({"content": "", "function_call": {"name": "find", "arguments": "{}"}}, "a tool call (find)"),
    ({"content": [{"type": "tool_use", "name": "find", "input": {}}]}, "a tool call (find)"),
    ({"content": [{"functionCall": {"name": "find"}}]}, "a tool call (find)"),
    ({"content": '<tool_call>{"name": "find"}</tool_call>'}, "a tool call (find)"),
    ({"content": None, "refusal": "I cannot."}, "a refusal"),
    ({"content": [{"type": "refusal", "refusal": "I cannot."}]}, "a refusal"),
    ({"content": [{"type": "image_url", "image_url": {"url": "x"}}]}, "attachments only (image_url)"),
    ({"content": [{"inlineData": {"mimeType": "image/png"}}]}, "attachments only (inlineData)"),
    ({"content": {"content_type": "execution_output", "text": "1"}}, "attachments only (execution_output)"),
    ({"content": 42}, "an unknown shape (content is of type int)"),
    ({"content": {"weather": "fine"}}, "an unknown shape (a part with 'weather')"),
    ({"content": [{"type": "hologram", "data": "x"}]}, "an unknown shape (a part of kind 'hologram')"),
]


@pytest.mark.parametrize(("content", "text", "thoughts"), CONTENT)
def test_content_of_every_shape(content: object, text: str, thoughts: str) -> None:
    read = read_content(content)
    assert (read.text, read.thoughts) == (text, thoughts)


@pytest.mark.parametrize(("message", "text", "thoughts"), MESSAGES)
def test_fields_beside_the_content(message: object, text: str, thoughts: str) -> None:
    read = read_message(message)
    assert (read.text, read.thoughts) == (text, thoughts)


@pytest.mark.parametrize(("message", "why"), WITHOUT_TEXT)
def test_why_there_is_no_text(message: object, why: str) -> None:
    read = read_message(message)
    assert (read.text.strip(), read.why_no_text) == ("", why)


def test_what_utf8_or_sqlite_cannot_hold_is_repaired() -> None:
    assert repaired("I am\0 sorry") == "I am sorry"
    assert repaired("\ud83d\ude00 \ud800!") == "\U0001f600 \ufffd!"
    assert read_content(["\udc00", {"text": "Hi\0"}]).text == "\ufffdHi"
    assert read_message({"content": "Hi", "reasoning": "\ud800"}).thoughts == "\ufffd"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "text", "content", "parts", "thinking", "reasoning", "tool_calls", "name", "refusal",
                         "audio", "thought", "content_type", "function", "summary"]) | st.text(max_size=5),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read_to_text_that_can_be_kept(value: object) -> None:
    for read in (read_message(value), read_content(value)):
        json.dumps([read.text, read.thoughts, read.why_no_text]).encode()
        (read.text + read.thoughts + read.refusal).encode()
        assert bool(read.text.strip()) == (read.why_no_text == "")
