"""Teaching the embedded model to play users, as far as some minutes go: what holdfast asks of such a model, and beside
it the line that the embedded user says at that moment."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.training.data import AdapterJob, TrainingData
from holdfast.adapters.training.libraries import quiet, save_peft, threads
from holdfast.adapters.training.lora import build_trainer
from holdfast.adapters.training.settings import settings_for
from holdfast.adapters.training.tokenised import tokenise
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest, Message, Sampling
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona
from tests.adapters.standins import training_dialogue
from tests.passages import exchange

Lesson = list[dict[str, str]]


@dataclass
class Silent:
    """A model that says nothing, so that the stand-ins speak, and remembers what it was asked."""

    id: str = "silent"
    heard: list[tuple[Message, ...]] = field(default_factory=list)

    async def generate(self, request: GenerationRequest) -> Generation:
        self.heard.append(request.messages)
        return Generation("", 0, 0)


async def lessons(people: Iterable[Persona], model: ChatModel, turns: int) -> list[Lesson]:
    """Of a conversation of each person with ``model``, in an order drawn by chance."""
    talks = await asyncio.gather(*(_of_one(person, model, turns) for person in people))
    found = [lesson for talk in talks for lesson in talk]
    random.Random(0).shuffle(found)
    return found


async def _of_one(person: Persona, model: ChatModel, turns: int) -> list[Lesson]:
    silent, rater, found = Silent(), LinearRater(), []
    user = ModelUser(person, silent, person.id, retries=0)
    state, talk = user.begin(derive_seed("lessons", person.id)), ()
    for turn in range(turns):
        seed = derive_seed("lessons", person.id, turn)
        spoken = await user.speak(state, talk, seed)
        asked = [message.as_dict() for message in silent.heard[-1]]
        found.append([*asked, {"role": "assistant", "content": spoken.text}])
        talk = (*talk, Message("user", spoken.text))
        reply = (await model.generate(GenerationRequest(person.id, talk, seed, sampling=Sampling(0.7)))).text
        (rating,) = await rater.rate([exchange(spoken.text, reply)])
        state = (await user.feel(spoken.state, spoken.said, reply, rating, seed)).state
        talk = (*talk, Message("assistant", reply))
    return found


def teach(found: list[Lesson], base: Path, out: Path, config: TrainingConfig) -> None:
    """Train a LoRA of ``base`` on ``found`` and write its folder ``out``."""
    job = AdapterJob(out.name, base, "holdfast-micro", Path("lessons"), out, seed=1)
    spoken = [tuple(ChatLine.model_construct(**line) for line in lesson) for lesson in found]  # a system's lines too
    dialogues = [training_dialogue(0).model_copy(update={"messages": lines}) for lines in spoken]
    with quiet(), threads(config.threads), tempfile.TemporaryDirectory() as scratch:
        data = TrainingData.of(tokenise(dialogues, base, config.max_length, "lessons"))
        trainer = build_trainer(job, settings_for(config, base), data, scratch)
        trainer.train()
        save_peft(trainer, out, job.base_name)
