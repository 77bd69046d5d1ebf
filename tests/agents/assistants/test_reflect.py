"""Reflecting between chunks: what is said, what is thought, when it ends, what it takes; and that thinking matters."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from holdfast.agents.assistants.reflect import Reflect, wants_rewrite, without_sentences_of
from holdfast.agents.prompts import read_prompt
from holdfast.agents.protocols import AssistantView, Generation, GenerationRequest, Message, Outcome, Reply, Sampling

PAUSE, GO_ON, REWRITE = (read_prompt(f"reflect/{name}") for name in ("pause", "go_on", "rewrite"))


@dataclass
class Script:
    """A model that gives its ``answers`` in order: a text, or a text and its outcome."""

    answers: list[str | tuple[str, Outcome]]
    id: str = "script"
    requests: list[GenerationRequest] = field(default_factory=list)

    async def generate(self, request: GenerationRequest) -> Generation:
        self.requests.append(request)
        answer = self.answers[len(self.requests) - 1]
        text, outcome = answer if isinstance(answer, tuple) else (answer, "answered")
        return Generation(text, 10, 3, outcome=outcome, cause="" if text else "nothing")


def reply(model: Script, **settings: Any) -> Reply:
    view = AssistantView("e", 1, (Message("user", "I lost my job."),), 5)
    return asyncio.run(Reflect(model, "reflect", **settings).reply(view))


def test_goes_on_after_each_reflection() -> None:
    model = Script(
        [("I am sorry. What hap", "cut"), "They are sad. GO ON", ("That is hard. And", "cut"), "", "Tell me."]
    )
    said = reply(model)
    assert (said.text, said.outcome) == ("I am sorry. That is hard. Tell me.", "answered")
    assert said.thoughts == "They are sad. GO ON"
    assert (said.calls, said.prompt_tokens, said.completion_tokens) == (5, 50, 15)
    shape = [[message.content for message in request.messages] for request in model.requests]
    opening, first = ["I lost my job."], ["I am sorry.", PAUSE]
    second = ["They are sad. GO ON", GO_ON]
    third = ["That is hard.", PAUSE]
    assert shape == [
        opening,
        opening + first,
        opening + first + second,
        opening + first + second + third,
        opening + first + second + ["That is hard.", GO_ON],  # a reflection without words leaves no message
    ]
    for request in model.requests:
        assert [message.role for message in request.messages][::2] == ["user"] * (len(request.messages) // 2 + 1)
    assert {request.key for request in model.requests} == {"e"}
    assert [request.sampling.max_tokens for request in model.requests] == [32, 80, 32, 80, 32]


def test_writes_anew_and_keeps_what_was_given_up() -> None:
    model = Script(["Cheer up!", "I passed over the loss. REWRITE", "I am so sorry.", "Better. GO ON"])
    said = reply(model)
    assert (said.text, said.calls) == ("I am so sorry.", 4)
    assert said.thoughts == "I passed over the loss. REWRITE\n\n[given up: Cheer up!]\n\nBetter. GO ON"
    assert model.requests[2].messages[-1].content == REWRITE


def test_a_whole_reply_that_may_stand_is_said() -> None:
    said = reply(Script(["I am sorry.\n\nWhat now?", "Fine."]))
    assert (said.text, said.calls, said.thoughts) == ("I am sorry.\n\nWhat now?", 2, "Fine.")


@pytest.mark.parametrize("chunks", [1, 2, 5])
def test_calls_are_bounded(chunks: int) -> None:
    """A model that is never done and never content."""
    endless: list[str | tuple[str, Outcome]] = [
        (f"Number {n}. And", "cut") if n % 2 == 0 else "REWRITE" for n in range(9)
    ]
    said = reply(Script(endless), chunks=chunks)
    assert (said.calls, said.outcome) == (2 * chunks - 1, "cut")


def test_one_chunk_is_the_bare_model() -> None:
    model = Script(["I am sorry. "])
    assert reply(model, chunks=1, sampling=Sampling(max_tokens=50)) == Reply("I am sorry.", None, None, 10, 3)
    (request,) = model.requests
    assert (request.messages, request.sampling.max_tokens, request.seed) == (
        (Message("user", "I lost my job."),),
        50,
        5,
    )


def test_what_was_said_is_not_said_again() -> None:
    model = Script([("I am sorry. And", "cut"), "GO ON", ("i am sorry. Why? An", "cut"), "GO ON", "I am sorry. Why?"])
    said = reply(model)
    assert (said.text, said.outcome, said.calls) == ("I am sorry. Why?", "answered", 5)


def test_neither_thoughts_nor_instructions_are_heard() -> None:
    asked = PAUSE.split("?")[0] + "?"
    model = Script([("Hm. And", "cut"), "They are sad. GO ON", f"They are sad. {asked} I hear you. {GO_ON}", "", "Hm."])
    assert reply(model, chunks=2).text == "Hm. I hear you."
    model = Script(["Hm.", "I was cold. REWRITE", f"I was cold! {REWRITE} I am sorry."])
    assert reply(model, chunks=2).text == "I am sorry."


@pytest.mark.parametrize(
    ("answers", "text", "outcome", "calls"),
    [
        ([("", "refusal")], "", "refusal", 1),
        (["Hm.", "REWRITE", ("", "filtered")], "Hm.", "answered", 3),  # the draft is better than silence
    ],
)
def test_silence(answers: list[Any], text: str, outcome: str, calls: int) -> None:
    said = reply(Script(answers))
    assert (said.text, said.outcome, said.calls) == (text, outcome, calls)
    assert bool(said.cause) == (not text)


def test_sentences() -> None:
    assert without_sentences_of("A. (B!) C. D", ["b. x", "c"]) == "A. D"


@pytest.mark.parametrize(
    ("reflection", "verdict"),
    [
        ("They are sad. REWRITE", True),
        ("Not REWRITE but GO ON.", False),
        ("GO ON? No: **REWRITE**", True),
        ("I would rewrite it", False),
        ("", False),
    ],
)
def test_the_last_verdict_counts(reflection: str, verdict: bool) -> None:
    assert wants_rewrite(reflection) is verdict
