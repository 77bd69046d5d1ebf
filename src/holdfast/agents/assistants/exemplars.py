"""The model, shown replies that others got in like situations.

After LEMPEx (arXiv 2106.11791), which retrieves exemplary replies from training data and conditions on EPITOME's
mechanisms. There retriever and generator are trained; here the likeness is TF-IDF, the levels choose among what is
alike, and any chat model gets the exchanges as examples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from holdfast.agents.assistants.candidates import ask
from holdfast.agents.assistants.wanted import WantedPattern, WantingSpec
from holdfast.agents.prompts import example_turns, read_prompt
from holdfast.agents.protocols import AssistantView, ChatModel, Message, Reply, Sampling
from holdfast.agents.raters.encoder.minilm import MINILM
from holdfast.core.files import expanded, is_folder, opened
from holdfast.core.hashing import sha256

if TYPE_CHECKING:
    from holdfast.agents.assistants.exchange_store import ExchangeStore, StoredExchange

Show = Literal["turns", "system"]


class ExemplarsSpec(WantingSpec):
    """Shows ``k`` exchanges of ``file``, or of the study's training dialogues where no file is given.

    ``show``: as turns before the conversation, or in its system message. ``encoder``: the sentence encoder that finds
    like situations, ``minilm`` (``holdfast rater fetch`` gets it), a folder or a Hugging Face name; TF-IDF does where
    none is given.
    """

    title = "the model with exemplars"
    kind: Literal["exemplars"] = "exemplars"
    file: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    k: Annotated[int, Field(ge=1, le=16)] = 2
    show: Show = "turns"
    encoder: Annotated[str, Field(min_length=1, max_length=400)] | None = None

    @property
    def needs_dialogues(self) -> bool:
        return self.file is None

    def beside(self, folder: Path) -> Self:
        """Return the spec with its ``file``, and its ``encoder`` where that is a folder, relative to ``folder``.

        Raises:
            InputError: the file cannot be opened.
        """
        changes = {}
        if self.file is not None:
            with opened(path := folder / expanded(self.file)):
                changes["file"] = str(path)
        if self.encoder not in (None, MINILM) and is_folder(folder / expanded(self.encoder)):
            changes["encoder"] = str(folder / expanded(self.encoder))
        return self.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Retrieves ``k`` exchanges for the user's newest message and puts them before the conversation, the fittest last.

    What is retrieved changes from turn to turn, so a local model reads the conversation anew at each turn.
    """

    model: ChatModel
    name: str
    store: ExchangeStore
    wanted: WantedPattern
    k: int = 2
    show: Show = "turns"
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return self.wanted.needs_task

    @property
    def prompt_hashes(self) -> dict[str, str]:
        frame = {f"exemplars/{name}": sha256(read_prompt(f"exemplars/{name}")) for name in ("manner", "exchange")}
        return self.wanted.hashes() | (frame if self.show == "system" else {}) | self.store.hashes

    async def reply(self, view: AssistantView) -> Reply:
        wanted = self.wanted.of(view)
        shown = self.store.retrieve(view.messages[-1].content, wanted.pattern.target, self.k)
        if self.show == "turns":
            opening = (*wanted.opening, *example_turns(each.as_example for each in shown))
        else:
            words = [*(message.content for message in wanted.opening), in_words(shown)]
            opening = (Message("system", "\n\n".join(words)),)
        messages = (*opening, *view.messages)
        return await ask(self.model, view, self.sampling, messages=messages, recognised_task=wanted.recognised_task)


def in_words(exchanges: list[StoredExchange]) -> str:
    """Return exchanges as a text that says what they are for."""
    frame = read_prompt("exemplars/exchange")
    written = (frame.format(situation=each.situation, reply=each.reply) for each in exchanges)
    return "\n\n".join([read_prompt("exemplars/manner"), *written])
