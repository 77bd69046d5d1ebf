"""The kinds of candidates, their system prompts, the request that they all send, and the protocol of routers."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from holdfast.agents.prompts import example_turns, pattern_prompt, with_examples
from holdfast.agents.protocols import AssistantView, Candidate, ChatModel, GenerationRequest, Message, Reply, Sampling
from holdfast.core.errors import ModelError
from holdfast.core.hashing import sha256
from holdfast.personas.schema import EmpathyPattern

Where = Literal["system", "user"]
ExamplesAs = Literal["turns", "system"]


class DescribedCandidate(Candidate, Protocol):
    """A candidate that says what it is made of."""

    @property
    def prompt_hashes(self) -> dict[str, str]: ...


class Router(Protocol):
    """Recognises the task context from the user's messages; deterministic, without state."""

    def recognise(self, user_messages: Sequence[str]) -> str:
        """Return the task's id; ``user_messages`` has at least one message, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class SystemPrompts:
    """Prompts as they are sent, written once when the candidate is built.

    ``texts`` maps a pattern id to its prompt. ``fixed`` names the only one to use, whatever the task; where it is None,
    the prompt is that of the task's pattern, and the candidate must know the task. ``turns``: by pattern id, example
    exchanges that follow the prompt as turns before the conversation.
    """

    texts: Mapping[str, str]
    fixed: str | None = None
    turns: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)

    @property
    def needs_task(self) -> bool:
        return self.fixed is None

    def text(self, view: AssistantView) -> str:
        """Return the system prompt for this conversation.

        Raises:
            ValueError: The prompt depends on the task, and the view has none.
        """
        return self.texts[self._pattern(view)]

    def before(self, view: AssistantView) -> tuple[Message, ...]:
        """Return what stands before this conversation: the system prompt, and example turns where there are any.

        Raises:
            ValueError: as :meth:`text`.
        """
        return (Message("system", self.text(view)), *self.turns.get(self._pattern(view), ()))

    def _pattern(self, view: AssistantView) -> str:
        if self.fixed is not None:
            return self.fixed
        if view.task is None:
            raise ValueError("this candidate renders the task's pattern, so it must be told the task")
        return view.task.pattern

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every prompt that may be sent, by pattern id, and of the examples behind it."""
        hashes = {name: sha256(text) for name, text in sorted(self.texts.items())}
        shown = {name: json.dumps([turn.as_dict() for turn in turns]) for name, turns in sorted(self.turns.items())}
        return hashes | {f"{name}, its examples": sha256(text) for name, text in shown.items()}


def pattern_prompts(
    patterns: Mapping[str, EmpathyPattern], fixed: str | None = None, examples: ExamplesAs | None = None
) -> SystemPrompts:
    """Write patterns as prompts; only the pattern ``fixed`` where it is given.

    ``examples``: how each pattern's examples are shown, as turns or in the system message; None: not at all.

    Raises:
        KeyError: There is no pattern ``fixed``.
    """
    chosen = patterns if fixed is None else {fixed: patterns[fixed]}
    in_system = {name: each.examples if examples == "system" else () for name, each in chosen.items()}
    texts = {name: with_examples(pattern_prompt(each), in_system[name]) for name, each in chosen.items()}
    turns = {name: example_turns(each.examples) for name, each in chosen.items()} if examples == "turns" else {}
    return SystemPrompts(texts, fixed, turns)


def own_prompt(text: str) -> SystemPrompts:
    """Wrap a prompt in the user's own words, under the name ``own``."""
    return SystemPrompts({"own": text}, "own")


async def ask(
    model: ChatModel,
    view: AssistantView,
    sampling: Sampling,
    *,
    messages: Iterable[Message] | None = None,
    adapter: str | None = None,
    recognised_task: str | None = None,
) -> Reply:
    """Return the model's reply to the conversation; ``messages`` defaults to those of the view."""
    request = GenerationRequest(
        key=view.episode_id,
        messages=view.messages if messages is None else tuple(messages),
        seed=view.seed,
        adapter=adapter,
        sampling=sampling,
    )
    made = await model.generate(request)
    return Reply(
        text=made.text,
        adapter=adapter,
        recognised_task=recognised_task,
        prompt_tokens=made.prompt_tokens,
        completion_tokens=made.completion_tokens,
        thoughts=made.thoughts,
        outcome=made.outcome,
        cause=made.cause,
    )


def with_usage_of(reply: Reply, parts: Sequence[Reply]) -> Reply:
    """Return ``reply`` with the tokens and calls of all ``parts`` that led to it, itself among them."""
    return replace(
        reply,
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        calls=sum(part.calls for part in parts),
    )


@dataclass(frozen=True, slots=True)
class SingleModel:
    """The model with a system prompt, with one fixed adapter, with both, or with neither (the paper's "Baseline").

    ``remind_every`` k > 0 repeats the prompt at turns 1 + k, 1 + 2k, … A reminder is one more system message right
    before that turn's user message (``where`` "system"). So the order is that of the training data, system → user →
    reply, and all earlier messages stay the same, which keeps the conversation's KV cache valid. For chat templates
    that allow a system message only at the start, ``where`` "user" appends the reminder to the user's message, in
    brackets.
    """

    model: ChatModel
    name: str = "base"
    sampling: Sampling = field(default_factory=Sampling)
    prompts: SystemPrompts | None = None
    adapter: str | None = None
    remind_every: int = 0
    where: Where = "system"

    @property
    def knows_task(self) -> bool:
        return self.prompts is not None and self.prompts.needs_task

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {} if self.prompts is None else self.prompts.hashes()

    async def reply(self, view: AssistantView) -> Reply:
        messages = None if self.prompts is None else self._prompted(view, self.prompts)
        return await ask(self.model, view, self.sampling, messages=messages, adapter=self.adapter)

    def _prompted(self, view: AssistantView, prompts: SystemPrompts) -> Iterator[Message]:
        yield from prompts.before(view)
        text, turn = prompts.text(view), 0
        for message in view.messages:
            if message.role == "user":
                turn += 1
            due = self.remind_every > 0 and turn > 1 and (turn - 1) % self.remind_every == 0
            if not due or message.role != "user":
                yield message
            elif self.where == "system":
                yield from (Message("system", text), message)
            else:
                yield Message("user", f"{message.content}\n\n[Reminder: {text}]")


@dataclass(frozen=True, slots=True)
class Experts:
    """The expert of the conversation's task. ``experts`` maps a task id to an adapter's name.

    The ``router`` recognises the task at every turn from the user's messages so far. Without one the candidate is told
    the true task: the oracle, the upper bound of routing.
    """

    model: ChatModel
    name: str
    experts: Mapping[str, str]
    router: Router | None = None
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return self.router is None

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {}

    async def reply(self, view: AssistantView) -> Reply:
        if self.router is None:
            if view.task is None:
                raise ValueError("the oracle must be told the task")
            return await ask(self.model, view, self.sampling, adapter=self.experts[view.task.id])
        task = self.router.recognise([message.content for message in view.messages if message.role == "user"])
        if task not in self.experts:
            raise ModelError(
                f"the router named the task {task!r}, which has no expert; there are {sorted(self.experts)}"
            )
        return await ask(self.model, view, self.sampling, adapter=self.experts[task], recognised_task=task)
