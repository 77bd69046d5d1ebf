"""Candidates with LoRA adapters: always the same one, the one a router chooses, or the true task's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.agents.assistants.prompting import SystemPrompts
from holdfast.agents.assistants.request import ask
from holdfast.agents.assistants.router import Router
from holdfast.agents.protocols import AssistantView, ChatModel, Message, Reply, Sampling
from holdfast.core.errors import ModelError


@dataclass(frozen=True, slots=True)
class Adapter:
    """One fixed adapter, whatever the task; with a system prompt where ``prompts`` is given."""

    model: ChatModel
    adapter: str
    name: str = "adapter"
    prompts: SystemPrompts | None = None
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return self.prompts is not None and self.prompts.needs_task

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {} if self.prompts is None else self.prompts.hashes()

    async def reply(self, view: AssistantView) -> Reply:
        messages = view.messages
        if self.prompts is not None:
            messages = (Message("system", self.prompts.text(view)), *messages)
        return await ask(self.model, view, self.sampling, messages=messages, adapter=self.adapter)


@dataclass(frozen=True, slots=True)
class Routed:
    """Recognises the task at every turn from the user's messages so far, and uses that task's expert.

    ``experts`` maps a task id to an adapter's name.
    """

    model: ChatModel
    router: Router
    experts: Mapping[str, str]
    name: str = "routed"
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return False

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {}

    async def reply(self, view: AssistantView) -> Reply:
        task = self.router.recognise([message.content for message in view.messages if message.role == "user"])
        if task not in self.experts:
            raise ModelError(
                f"the router named the task {task!r}, which has no expert; there are {sorted(self.experts)}"
            )
        return await ask(self.model, view, self.sampling, adapter=self.experts[task], recognised_task=task)


@dataclass(frozen=True, slots=True)
class Oracle:
    """Knows the task and uses its expert: the upper bound of routing."""

    model: ChatModel
    experts: Mapping[str, str]
    name: str = "oracle"
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return True

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {}

    async def reply(self, view: AssistantView) -> Reply:
        if view.task is None:
            raise ValueError("the oracle must be told the task")
        return await ask(self.model, view, self.sampling, adapter=self.experts[view.task.id])
