"""Which pattern a conversation wants: the given one, the recognised task's, the true task's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.agents import registry
from holdfast.agents.assistants.wanted import WantedPattern
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.protocols import AssistantView, Message
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import sha256
from tests.simulator.scripted import PATTERNS, TASKS, HashModel, ScriptedResources

OF_TASK = {task.id: task.pattern for task in TASKS.values()}
VIEW = AssistantView("e", 1, (Message("user", "a"), Message("assistant", "b"), Message("user", "c")), 5)


@dataclass(frozen=True)
class Naming:
    task: str

    def recognise(self, user_messages: Sequence[str]) -> str:
        assert user_messages == ["a", "c"]
        return self.task


def test_the_given_pattern_whatever_the_task() -> None:
    wanted = WantedPattern(PATTERNS, OF_TASK, fixed="solver")
    assert not wanted.needs_task
    assert wanted.of(VIEW) == (PATTERNS["solver"], None, ())


def test_the_recognised_tasks_pattern() -> None:
    wanted = WantedPattern(PATTERNS, OF_TASK, router=Naming("burnout"))
    assert not wanted.needs_task
    assert wanted.of(VIEW) == (PATTERNS["companion"], "burnout", ())
    with pytest.raises(ModelError, match=r"the router named the task 'cooking'; known are \['bug_hunt', 'burnout'\]"):
        WantedPattern(PATTERNS, OF_TASK, router=Naming("cooking")).of(VIEW)


def test_the_true_tasks_pattern_in_words() -> None:
    wanted = WantedPattern(PATTERNS, OF_TASK, prompted=True)
    assert wanted.needs_task
    with pytest.raises(ValueError, match="must be told the task"):
        wanted.of(VIEW)
    told = AssistantView("e", 1, VIEW.messages, 5, TASKS["bug_hunt"])
    words = pattern_prompt(PATTERNS["solver"])
    assert wanted.of(told) == (PATTERNS["solver"], None, (Message("system", words),))
    assert wanted.hashes()["solver"] == sha256(words)
    assert set(wanted.hashes()) == set(PATTERNS)


@pytest.mark.parametrize("kind", ["exemplars", "reflect", "best_of"])
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"pattern": "solvr"}, "names the pattern 'solvr'; did you mean 'solver'"),
        ({"recognise": True}, "recognises the task by a router; train one first"),
    ],
)
def test_what_cannot_be_had_is_refused(kind: str, fields: dict[str, Any], says: str) -> None:
    spec = registry.parse({"kind": kind, "with_prompt": True, **fields})
    with pytest.raises(InputError, match=says):
        registry.build_candidate(spec, ScriptedResources(HashModel()))


def test_one_way_to_a_pattern() -> None:
    with pytest.raises(ValidationError, match="give only one of 'pattern' and 'recognise'"):
        registry.parse({"kind": "best_of", "pattern": "solver", "recognise": True})
