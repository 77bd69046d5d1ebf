"""The suite that every candidate inherits: give a spec, get the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, dataclass, fields
from typing import Any, ClassVar

import pytest

from holdfast.agents import registry
from holdfast.agents.assistants.candidates import DescribedCandidate
from holdfast.agents.protocols import AssistantView, Message, Reply
from holdfast.core.hashing import sha256
from holdfast.simulator.conversation.graph import config, graph
from holdfast.simulator.conversation.participants import Participants, opening
from holdfast.simulator.conversation.stop import MaxTurns
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from tests.simulator.scripted import TASKS, HashModel, HashRater, ScriptedResources, ScriptedUser, persona


@dataclass(frozen=True)
class KeywordRouter:
    def recognise(self, user_messages: Sequence[str]) -> str:
        return "burnout" if "tired" in " ".join(user_messages) else "bug_hunt"


def view(candidate: DescribedCandidate, *users: str, seed: int = 1) -> AssistantView:
    """What the candidate sees after these user messages, each but the last answered by "ok."."""
    lines = [line for text in users for line in (Message("user", text), Message("assistant", "ok."))][:-1]
    task = TASKS["burnout"] if candidate.knows_task else None
    return AssistantView("c/amira/1/9/0", len(users), tuple(lines), seed, task)


class CandidateContract:
    spec: ClassVar[Any] = None
    routed_to: ClassVar[tuple[str, ...]] = ()  # by the pattern's id, where the router names a task with that pattern

    @pytest.fixture
    def model(self) -> HashModel:
        return HashModel()

    @pytest.fixture
    def candidate(self, model: HashModel) -> DescribedCandidate:
        return registry.build_candidate(registry.parse(self.spec), ScriptedResources(model, router=KeywordRouter()))

    def reply(self, candidate: DescribedCandidate, *users: str, seed: int = 1) -> Reply:
        return asyncio.run(candidate.reply(view(candidate, *users, seed=seed)))

    def test_same_view_same_words(self, candidate: DescribedCandidate) -> None:
        assert self.reply(candidate, "hello", "again") == self.reply(candidate, "hello", "again")

    def test_another_seed_other_words(self, candidate: DescribedCandidate) -> None:
        assert self.reply(candidate, "hello", seed=1).text != self.reply(candidate, "hello", seed=2).text

    def test_what_came_before_in_another_conversation_leaves_no_trace(self, candidate: DescribedCandidate) -> None:
        first = self.reply(candidate, "hello")
        self.reply(candidate, "I am tired", "so tired", "tired")
        assert self.reply(candidate, "hello") == first

    def test_holds_no_state_that_could_change(self, candidate: DescribedCandidate) -> None:
        with pytest.raises(FrozenInstanceError):
            candidate.name = "other"  # type: ignore[misc]
        assert all(not isinstance(getattr(candidate, f.name), list | set) for f in fields(candidate))  # type: ignore[arg-type]

    def test_passes_on_the_conversation_its_key_and_its_seed(
        self, candidate: DescribedCandidate, model: HashModel
    ) -> None:
        self.reply(candidate, "hello", "again", seed=7)
        (request,) = model.requests
        assert (request.key, request.seed) == ("c/amira/1/9/0", 7)
        said = [message.content for message in request.messages if message.role != "system"]
        assert [text.split("\n")[0] for text in said] == ["hello", "ok.", "again"]

    def test_asks_only_for_adapters_that_it_declares(self, candidate: DescribedCandidate, model: HashModel) -> None:
        used = {self.reply(candidate, text).adapter for text in ("hello", "I am tired")} - {None}
        assert used <= {*registry.parse(self.spec).adapter_names(TASKS.values()), *self.routed_to}
        assert {request.adapter for request in model.requests} - {None} == used

    def test_every_system_message_has_its_hash(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, *"abcdefghi")
        sent = {sha256(m.content) for request in model.requests for m in request.messages if m.role == "system"}
        assert sent <= set(candidate.prompt_hashes.values())

    def test_name_and_counts(self, candidate: DescribedCandidate) -> None:
        assert candidate.name
        assert self.reply(candidate, "hello").completion_tokens == 8

    async def test_never_sees_who_the_user_is(self, candidate: DescribedCandidate, model: HashModel) -> None:
        """A whole conversation: of all that a persona holds, only what the user says aloud reaches the model."""
        hidden = persona(
            name="CANARYNAME",
            background="CANARYBACKGROUND",
            goals=[{"id": "canarygoal", "need": "CANARYNEED", "topic": "CANARYTOPIC"}],
            feelings=["CANARYFEELING"],
            desired_empathy=3,
        )
        turns: list[TurnRecord] = []

        async def keep(record: TurnRecord) -> None:
            turns.append(record)

        spec = EpisodeSpec("p", hidden.task, candidate.name, 1, 6)
        people = Participants(
            spec, TASKS["bug_hunt"], ScriptedUser(hidden), candidate, {"hash": HashRater()}, MaxTurns(6), keep
        )
        await graph.ainvoke(opening(people), config(6), context=people)
        assert len(turns) == len(model.requests) == 6
        for turn, request in zip(turns, model.requests, strict=True):
            seen = repr(request)
            assert "CANARYFEELING" in turn.user
            assert turn.user in seen
            aloud = {past.user for past in turns}
            for text in sorted(aloud, key=len, reverse=True):
                seen = seen.replace(text, "")
            assert "canary" not in seen.lower()
            assert "desired" not in seen
            assert str(turn.state["desired"]) not in seen


class TestBase(CandidateContract):
    spec: ClassVar[Any] = "base"

    def test_sends_nothing_of_its_own(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert model.requests[0].messages == (Message("user", "hello"),)
        assert not candidate.knows_task


class TestSystemPrompt(CandidateContract):
    spec: ClassVar[Any] = "system_prompt"

    def test_speaks_under_the_pattern_of_the_task(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert candidate.knows_task
        assert model.requests[0].messages[0].role == "system"
        assert "Show strong warmth and concern." in model.requests[0].messages[0].content  # burnout -> companion


class TestFixedPattern(CandidateContract):
    spec: ClassVar[Any] = {"kind": "system_prompt", "name": "dry", "pattern": "solver"}

    def test_speaks_under_that_pattern_whatever_the_task(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert not candidate.knows_task
        assert "Do not comment on feelings." in model.requests[0].messages[0].content
        assert set(candidate.prompt_hashes) == {"solver"}


class TestOwnPrompt(CandidateContract):
    spec: ClassVar[Any] = {"kind": "system_prompt", "name": "mine", "prompt": "Be kind."}

    def test_sends_those_words(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert model.requests[0].messages[0] == Message("system", "Be kind.")


class TestReminder(CandidateContract):
    spec: ClassVar[Any] = {"kind": "system_prompt_with_reminder", "prompt": "Be kind.", "every": 2}

    def test_says_it_again_before_turns_3_and_5(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, *"abcdef")
        signs = {"system": "!", "assistant": "-"}
        shape = "".join(signs.get(message.role, message.content) for message in model.requests[0].messages)
        assert shape == "!a-b-!c-d-!e-f"

    def test_history_only_grows(self, candidate: DescribedCandidate, model: HashModel) -> None:
        for n in range(1, 9):
            self.reply(candidate, *"abcdefgh"[:n])
        for before, after in zip(model.requests, model.requests[1:], strict=False):
            assert after.messages[: len(before.messages)] == before.messages


class TestReminderInTheUsersMessage(CandidateContract):
    spec: ClassVar[Any] = {"kind": "system_prompt_with_reminder", "prompt": "Be kind.", "every": 2, "where": "user"}

    def test_adds_a_note_in_brackets(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, *"abc")
        assert [m.role for m in model.requests[0].messages].count("system") == 1
        assert model.requests[0].messages[-1].content == "c\n\n[Reminder: Be kind.]"


class TestAdapter(CandidateContract):
    spec: ClassVar[Any] = {"kind": "adapter", "adapter": "companion"}

    def test_wears_it(self, candidate: DescribedCandidate, model: HashModel) -> None:
        assert self.reply(candidate, "hello").adapter == "companion" == model.requests[0].adapter
        assert model.requests[0].messages == (Message("user", "hello"),)


class TestAdapterWithPrompt(CandidateContract):
    spec: ClassVar[Any] = {"kind": "adapter", "adapter": "companion", "with_prompt": True}

    def test_wears_it_under_the_pattern_in_words(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert candidate.knows_task
        assert [m.role for m in model.requests[0].messages] == ["system", "user"]


class TestRouted(CandidateContract):
    spec: ClassVar[Any] = "routed"
    routed_to: ClassVar[tuple[str, ...]] = ("companion", "solver")

    def test_wears_the_expert_of_the_recognised_task(self, candidate: DescribedCandidate) -> None:
        reply = self.reply(candidate, "I am tired")
        assert (reply.recognised_task, reply.adapter) == ("burnout", "companion")
        reply = self.reply(candidate, "hello")
        assert (reply.recognised_task, reply.adapter) == ("bug_hunt", "solver")
        assert not candidate.knows_task

    def test_recognises_from_all_that_the_user_has_said(self, candidate: DescribedCandidate) -> None:
        assert self.reply(candidate, "I am tired", "hello").recognised_task == "burnout"


class TestRoutedToNamedAdapters(CandidateContract):
    spec: ClassVar[Any] = {"kind": "routed", "name": "mine", "experts": {"companion": "runs/a/companion"}}

    routed_to: ClassVar[tuple[str, ...]] = ("solver",)

    def test_the_others_keep_the_patterns_id(self, candidate: DescribedCandidate) -> None:
        assert {self.reply(candidate, text).adapter for text in ("hello", "I am tired")} == {
            "runs/a/companion",
            "solver",
        }


class TestOracle(CandidateContract):
    spec: ClassVar[Any] = "oracle"

    def test_is_told(self, candidate: DescribedCandidate) -> None:
        reply = self.reply(candidate, "hello")
        assert (reply.adapter, reply.recognised_task) == ("companion", None)


def test_every_kind_has_its_suite() -> None:
    specs = [suite.spec for suite in CandidateContract.__subclasses__()]
    tested = {spec if isinstance(spec, str) else spec["kind"] for spec in specs}
    assert tested >= set(registry.kinds())  # a kind of the tests may be registered there only
