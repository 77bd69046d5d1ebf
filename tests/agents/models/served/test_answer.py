"""What is read of an answer: none that is whole is lost for a trifle, none without text is taken for one."""

import json
from typing import Any

import pytest

from holdfast.agents.message_content import read_content
from holdfast.agents.models.generations import generation_of, token_count
from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.served.answer import read_answer
from holdfast.agents.models.served.failures import TransientError
from holdfast.agents.protocols import Generation

GOOD = "I am so sorry."


def body(content: Any, finish: Any = "stop", usage: Any = None, **message: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return json.dumps({"id": "x", "choices": [choice], "usage": usage}).encode()


CALL = [{"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}]

#: An answer -> text, thoughts, outcome, cause, finish reason.
ANSWERS: list[tuple[bytes, tuple[str, str, str, str, str]]] = [
    (body(f" {GOOD}"), (GOOD, "", "answered", "", "stop")),
    (body(f"<think>a</think>\n\n{GOOD}"), (GOOD, "a", "answered", "", "stop")),
    (body("<think>a", "length"), ("", "a", "thoughts only", "thoughts only, cut off at max_tokens", "length")),
    (
        body(None, "length", reasoning_content="a"),
        ("", "a", "thoughts only", "thoughts only, cut off at max_tokens", "length"),
    ),
    (body("", reasoning="a"), ("", "a", "thoughts only", "thoughts only", "stop")),
    (body("I am s", "length"), ("I am s", "", "cut", "", "length")),
    (body("", "max_tokens"), ("", "", "cut", "an empty message, cut off at max_tokens", "length")),
    (body(None, "tool_calls", tool_calls=CALL), ("", "", "tool call", "a tool call (find)", "stop")),
    (body(None, "function_call", function_call={"name": "find"}), ("", "", "tool call", "a tool call (find)", "stop")),
    (body(GOOD, "tool_calls", tool_calls=CALL), (GOOD, "", "tool call", "", "stop")),
    (body(None, "tool_calls"), ("", "", "tool call", "a tool call", "stop")),
    (body(None, "content_filter"), ("", "", "filtered", "filtered by the server", "refusal")),
    (body("", "SAFETY"), ("", "", "filtered", "filtered by the server", "refusal")),
    (body("I am", "content_filter: PROHIBITED_CONTENT"), ("I am", "", "filtered", "", "refusal")),
    (body(None, refusal="I cannot."), ("I cannot.", "", "refusal", "", "refusal")),
    (body("", "refusal"), ("", "", "refusal", "a refusal", "refusal")),
    (body(None), ("", "", "empty", "an empty message", "stop")),
    (body(42), ("", "", "unknown shape", "an unknown shape (content is of type int)", "stop")),
    (body([{"type": "text", "text": GOOD}]), (GOOD, "", "answered", "", "stop")),
    (body(GOOD, {"type": "length", "length": 5}), (GOOD, "", "cut", "", "length")),
    (body(GOOD, "eos_token"), (GOOD, "", "answered", "", "stop")),
    (body(GOOD, 7), (GOOD, "", "answered", "", "stop")),
    (b'{"choices":[{"text":"I am so sorry."}]}', (GOOD, "", "answered", "", "stop")),
    (b'{"choices":[{"message":"I am so sorry."}]}', (GOOD, "", "answered", "", "stop")),
    (
        b'{"choices":[{"message":null,"finish_reason":"content_filter"}]}',
        ("", "", "filtered", "filtered by the server", "refusal"),
    ),
    (b'\xef\xbb\xbf{"choices":[{"message":{"content":"I am so sorry."}}]}', (GOOD, "", "answered", "", "stop")),
    (b'{"choices":[{"message":{"content":"\\ud800\\u0000!"}}]}', ("\ufffd!", "", "answered", "", "stop")),
    (b'{"choices":[{"message":{"content":"\xff!"}}]}', ("\ufffd!", "", "answered", "", "stop")),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_every_answer_says_what_became_of_it(answer: bytes, expected: tuple[str, str, str, str, str]) -> None:
    made = read_answer(answer)
    assert (made.text, made.thoughts, made.outcome, made.cause, made.finish_reason) == expected


def test_thoughts_that_a_server_keeps_to_itself_are_no_empty_answer() -> None:
    usage = {"completion_tokens": 96, "completion_tokens_details": {"reasoning_tokens": 96}}
    made = read_answer(body("", "length", usage))
    assert (made.outcome, made.cause) == (
        "thoughts only",
        "thoughts only, which the server does not show, cut off at max_tokens",
    )


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (12, 12),
        (12.0, 12),
        (None, 0),
        (-1, 0),
        (10.5, 0),
        ("12", 0),
        (2**62, 0),
        (10**400, 0),
        (True, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ([], 0),
    ],
)
def test_a_counter_that_is_none_is_unknown(count: object, expected: int) -> None:
    assert token_count(count) == expected
    made = read_answer(body(GOOD, usage={"prompt_tokens": count, "completion_tokens": 3}))
    assert (made.text, made.prompt_tokens, made.completion_tokens) == (GOOD, expected, 3)


@pytest.mark.parametrize("usage", [None, "many", 7, [], {}])
def test_usage_of_any_shape_costs_no_answer(usage: object) -> None:
    made = read_answer(body(GOOD, usage=usage))
    assert (made.text, made.prompt_tokens) == (GOOD, 0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'{"id": "x", "object": "thing"}', "holds no 'choices', only 'id', 'object'"),
        (b'{"choices": [], "id": "x"}', "its 'choices' are empty; it holds 'choices', 'id'"),
        (b'{"choices": [{"index": 0, "answer": "Hi"}]}', "its first choice holds no 'message', only 'index', 'answer'"),
        (b'{"choices": ["Hi"]}', "its first choice is no object but a str"),
        (b'["Hi"]', "a JSON list where an object with 'choices' is expected"),
        (b'{"choices": [{"mess', "no JSON, or cut short"),
        (b"[" * 100_000, "no JSON, or cut short"),
        (b'{"choices": [{"message": {"content": ""}, "finish_reason": "error"}]}', "its finish_reason is 'error'"),
    ],
)
def test_an_answer_without_a_message_shows_what_was_seen(answer: bytes, said: str) -> None:
    with pytest.raises(TransientError) as caught:
        read_answer(answer)
    assert said in str(caught.value)
    assert caught.value.cause == "malformed"


def test_the_cache_keeps_thoughts_and_reads_its_older_rows(tmp_path: Any) -> None:
    cache = ResponseCache(tmp_path / "answers.sqlite")
    made = read_answer(body("<think>a", "length"))
    cache.put(b"new", made)
    cache._db.execute("INSERT INTO answers VALUES (?, ?)", (b"old", '["<think>a</think>Hi", 3, 4, "stop"]'))
    assert cache.get(b"new") == made
    assert cache.get(b"old") == Generation("Hi", 3, 4, thoughts="a")
    cache.close()


def test_json_that_quotes_a_mark_stays_whole() -> None:
    text = '{"id": "x", "quotes": ["<think> is what he wrote"], "score": 2}'
    assert generation_of(read_content(text)).text == text
