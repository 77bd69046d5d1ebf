"""The suite that every candidate inherits: give a spec, get the rules."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass, fields
from typing import Any, ClassVar

import pytest

from holdfast.agents import registry
from holdfast.agents.assistants.app import App
from holdfast.agents.assistants.candidates import DescribedCandidate
from holdfast.agents.assistants.specs import SystemPromptSpec
from holdfast.agents.prompts import read_prompt
from holdfast.agents.protocols import AssistantView, GenerationRequest, Message, Reply
from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.personas.schema import Exchange
from holdfast.simulator.conversation.graph import config, graph
from holdfast.simulator.conversation.participants import Participants, opening
from holdfast.simulator.conversation.stop import MaxTurns
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from tests.simulator.scripted import (
    PATTERNS,
    TASKS,
    HashModel,
    HashRater,
    ScriptedResources,
    ScriptedUser,
    pattern,
    persona,
)


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
    calls: ClassVar[int] = 1  # that a reply takes of a model which always stops by itself
    examples: ClassVar[int] = 0  # messages of other conversations before this one

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

    def test_says_the_same_in_another_process(self, candidate: DescribedCandidate) -> None:
        assert self.reply(pickle.loads(pickle.dumps(candidate)), "hello") == self.reply(candidate, "hello")

    def test_passes_on_the_conversation_its_key_and_its_seed(
        self, candidate: DescribedCandidate, model: HashModel
    ) -> None:
        self.reply(candidate, "hello", "again", seed=7)
        first = model.requests[0]
        assert (first.key, first.seed) == ("c/amira/1/9/0", 7)
        assert len({request.seed for request in model.requests}) == len(model.requests) == self.calls
        for request in model.requests:
            assert request.key.startswith(first.key)
            said = [message.content for message in request.messages if message.role != "system"][self.examples :]
            assert [text.split("\n")[0] for text in said[:3]] == ["hello", "ok.", "again"]

    def test_asks_only_for_adapters_that_it_declares(self, candidate: DescribedCandidate, model: HashModel) -> None:
        used = {self.reply(candidate, text).adapter for text in ("hello", "I am tired")} - {None}
        assert used <= {*registry.parse(self.spec).adapter_names(TASKS.values()), *self.routed_to}
        assert {request.adapter for request in model.requests} - {None} == used

    def test_every_system_message_has_its_hash(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, *"abcdefghi")
        sent = {self.written(m.content) for request in model.requests for m in request.messages if m.role == "system"}
        assert {sha256(text) for text in sent} <= set(candidate.prompt_hashes.values())

    def written(self, system: str) -> str:
        """The part of a system message that is the same in every conversation."""
        return system

    def test_name_and_counts(self, candidate: DescribedCandidate, model: HashModel) -> None:
        assert candidate.name
        reply = self.reply(candidate, "hello")
        prompts = sum(8 * len(request.messages) for request in model.requests)
        assert (reply.calls, reply.completion_tokens, reply.prompt_tokens) == (self.calls, 8 * self.calls, prompts)

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
        assert len(turns) * self.calls == len(model.requests) == 6 * self.calls
        for number, request in enumerate(model.requests):
            turn, seen = turns[number // self.calls], repr(request)
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


SHOWN = pattern("companion", 2, 1, 1, 0).model_copy(update={"examples": (Exchange(user="Sad.", reply="I am sorry."),)})
WITH_EXAMPLES = {**PATTERNS, "companion": SHOWN}


class TestSystemPromptWithExamples(CandidateContract):
    spec: ClassVar[Any] = {"kind": "system_prompt", "pattern": "companion", "examples": True}

    @pytest.fixture
    def candidate(self, model: HashModel) -> DescribedCandidate:
        return registry.build_candidate(registry.parse(self.spec), ScriptedResources(model, patterns=WITH_EXAMPLES))

    def test_passes_on_the_conversation_its_key_and_its_seed(
        self, candidate: DescribedCandidate, model: HashModel
    ) -> None:
        self.reply(candidate, "hello", "again", seed=7)
        (request,) = model.requests
        assert (request.key, request.seed) == ("c/amira/1/9/0", 7)
        said = [message.content for message in request.messages if message.role != "system"]
        assert said == ["Sad.", "I am sorry.", "hello", "ok.", "again"]

    def test_their_tokens_are_counted(self, candidate: DescribedCandidate, model: HashModel) -> None:
        assert self.reply(candidate, "hello").prompt_tokens == 8 * len(model.requests[0].messages) == 8 * 4

    def test_they_stand_in_the_system_message_where_the_template_bears_no_turns(self, model: HashModel) -> None:
        resources = ScriptedResources(model, patterns=WITH_EXAMPLES, bears_turns=False)
        self.reply(registry.build_candidate(registry.parse(self.spec), resources), "hello")
        system, user = model.requests[0].messages
        assert system.content.endswith("User: Sad.\nAssistant: I am sorry.")
        assert user == Message("user", "hello")

    def test_the_hash_follows_from_them(self, candidate: DescribedCandidate, model: HashModel) -> None:
        plain = registry.parse({"kind": "system_prompt", "pattern": "companion"})
        words = registry.build_candidate(plain, ScriptedResources(model)).prompt_hashes
        assert words.items() < candidate.prompt_hashes.items()

    def test_a_pattern_without_any_is_told(self, model: HashModel) -> None:
        spec = registry.parse({"kind": "system_prompt", "examples": True})
        with pytest.raises(InputError, match=r"the pattern solver has no examples to show; write some into it"):
            registry.build_candidate(spec, ScriptedResources(model, patterns=WITH_EXAMPLES))

    def test_a_prompt_of_ones_own_takes_none(self) -> None:
        with pytest.raises(ValueError, match="'examples' are those of a pattern"):
            registry.parse({"kind": "system_prompt", "examples": True, "prompt": "Be kind."})

    def test_a_study_without_them_is_written_as_ever(self) -> None:
        assert "examples" not in SystemPromptSpec(name="s").model_dump(exclude_none=True)


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


class TestExemplars(CandidateContract):
    spec: ClassVar[Any] = "exemplars"
    examples: ClassVar[int] = 4

    def test_shows_the_most_alike_right_before_the_conversation(
        self, candidate: DescribedCandidate, model: HashModel
    ) -> None:
        self.reply(candidate, "It is heavy, heavy.")
        assert [(message.role, message.content) for message in model.requests[0].messages[-3:]] == [
            ("user", "I said heavy."),
            ("assistant", "You said heavy?"),
            ("user", "It is heavy, heavy."),
        ]


class TestExemplarsInTheSystemMessage(CandidateContract):
    spec: ClassVar[Any] = {"kind": "exemplars", "show": "system", "k": 1, "pattern": "companion", "with_prompt": True}

    def written(self, system: str) -> str:
        prompt, manner, exchange = system.split("\n\n")
        assert manner == read_prompt("exemplars/manner")
        assert exchange.startswith("Someone said: I said ")
        return prompt

    def test_names_the_exchange_behind_the_prompt(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "It is heavy.")
        system, _ = model.requests[0].messages
        assert system.role == "system"
        assert system.content.endswith("Someone said: I said heavy.\nThe reply: You said heavy?")
        assert not candidate.knows_task


class TestReflect(CandidateContract):
    spec: ClassVar[Any] = "reflect"
    calls: ClassVar[int] = 2  # a chunk and a reflection

    def test_is_told_nothing(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert not candidate.knows_task
        assert model.requests[0].messages == (Message("user", "hello"),)


class TestReflectUnderThePattern(CandidateContract):
    spec: ClassVar[Any] = {"kind": "reflect", "name": "thinks", "recognise": True}
    calls: ClassVar[int] = 2

    def test_speaks_under_the_pattern_of_the_recognised_task(
        self, candidate: DescribedCandidate, model: HashModel
    ) -> None:
        assert self.reply(candidate, "I am tired").recognised_task == "burnout"
        assert all("Show strong warmth" in request.messages[0].content for request in model.requests)
        assert not candidate.knows_task


class TestBestOf(CandidateContract):
    spec: ClassVar[Any] = {"kind": "best_of", "n": 3}
    calls: ClassVar[int] = 3

    def test_draws_have_keys_of_their_own(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert [request.key for request in model.requests] == [
            "c/amira/1/9/0",
            "c/amira/1/9/0/draw 2",
            "c/amira/1/9/0/draw 3",
        ]


class TestBestOfOnePatternInWords(CandidateContract):
    spec: ClassVar[Any] = {"kind": "best_of", "name": "dry", "n": 2, "pattern": "solver", "with_prompt": True}
    calls: ClassVar[int] = 2

    def test_every_draw_has_the_prompt(self, candidate: DescribedCandidate, model: HashModel) -> None:
        self.reply(candidate, "hello")
        assert not candidate.knows_task
        assert set(candidate.prompt_hashes) == {"solver"}
        assert all("Do not comment on feelings." in request.messages[0].content for request in model.requests)


class TestApp(CandidateContract):
    """An application that asks a model; it is sent neither the conversation's own id nor a task."""

    spec: ClassVar[Any] = {"kind": "app", "url": "http://localhost:9/reply"}

    @pytest.fixture
    def candidate(self, model: HashModel) -> DescribedCandidate:
        return App("app", _AskingAModel(model))

    def test_passes_on_the_conversation_its_key_and_its_seed(
        self, candidate: DescribedCandidate, model: HashModel
    ) -> None:
        self.reply(candidate, "hello", "again", seed=7)
        (request,) = model.requests
        assert (request.key, request.seed) == (sha256("c/amira/1/9/0")[:16], 7)
        assert [message.content for message in request.messages] == ["hello", "ok.", "again"]

    def test_is_made_of_its_address(self) -> None:
        made = registry.build_candidate(registry.parse(self.spec), ScriptedResources(HashModel()))
        assert isinstance(made, App)
        assert made.name == "app"


@dataclass(frozen=True)
class _AskingAModel:
    model: HashModel

    async def __call__(self, turn: Mapping[str, Any]) -> object:
        messages = [Message(each["role"], each["content"]) for each in turn["history"]]
        request = GenerationRequest(turn["conversation"], (*messages, Message("user", turn["message"])), turn["seed"])
        made = await self.model.generate(request)
        return {"text": made.text, "prompt_tokens": made.prompt_tokens, "completion_tokens": made.completion_tokens}


def test_every_kind_has_its_suite() -> None:
    specs = [suite.spec for suite in CandidateContract.__subclasses__()]
    tested = {spec if isinstance(spec, str) else spec["kind"] for spec in specs}
    assert tested >= set(registry.kinds())  # a kind of the tests may be registered there only
