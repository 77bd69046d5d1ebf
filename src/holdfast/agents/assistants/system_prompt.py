"""Candidates with a system prompt: once at the start, or repeated every few turns."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from holdfast.agents.assistants.prompting import SystemPrompts
from holdfast.agents.assistants.request import ask
from holdfast.agents.protocols import AssistantView, ChatModel, Message, Reply, Sampling

Where = Literal["system", "user"]


@dataclass(frozen=True, slots=True)
class SystemPrompt:
    """The model with a system prompt. ``remind_every`` k > 0 repeats it at turns 1 + k, 1 + 2k, …

    A reminder is one more system message right before that turn's user message (``where`` "system"). So the order is
    that of the training data, system → user → reply, and all earlier messages stay the same, which keeps the
    conversation's KV cache valid. For chat templates that allow a system message only at the start, ``where`` "user"
    appends the reminder to the user's message, in brackets.
    """

    model: ChatModel
    prompts: SystemPrompts
    name: str = "system_prompt"
    remind_every: int = 0
    where: Where = "system"
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return self.prompts.needs_task

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return self.prompts.hashes()

    async def reply(self, view: AssistantView) -> Reply:
        text = self.prompts.text(view)
        return await ask(self.model, view, self.sampling, messages=self._messages(view, text))

    def _messages(self, view: AssistantView, text: str) -> Iterator[Message]:
        yield Message("system", text)
        turn = 0
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
