"""The pattern in words: once at the start, or again every few turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from holdfast.agents.assistants.prompting import SystemPrompts
from holdfast.agents.assistants.request import ask
from holdfast.agents.protocols import AssistantView, ChatModel, Message, Reply, Sampling

Where = Literal["system", "user"]


@dataclass(frozen=True, slots=True)
class SystemPrompt:
    """The model under a system prompt. ``remind_every`` k > 0 says it again at turns 1 + k, 1 + 2k, …

    A reminder stands right before that turn's user message as one more system message (``where`` "system"), because
    then the model meets the same order that its prompt has in training, system → user → reply, and because everything
    before the newest message stays as it was, so a model's KV cache of the conversation remains valid. Chat templates
    that allow a system message only at the start want ``where`` "user": the reminder then follows the user's own
    words as a note in brackets.
    """

    model: ChatModel
    prompts: SystemPrompts
    name: str = "system_prompt"
    remind_every: int = 0
    where: Where = "system"
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def told_task(self) -> bool:
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
