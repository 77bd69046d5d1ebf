"""Puts a question to a chat model: a JSON schema where it is honoured, one repair, tokens counted, nothing raised.

What comes back is read as text whether or not the model kept to the schema: a server may accept one and ignore it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.served.halt import halting
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest, Message, Sampling, held_to_schemas
from holdfast.agents.raters.judge.rubrics import fill
from holdfast.agents.raters.sample import REASONS, Reason, Refusal
from holdfast.core.errors import ModelError
from holdfast.core.hashing import sha256
from holdfast.core.seeds import derive_seed

Value = TypeVar("Value")
GIVE_UP_AFTER = 8  # failures of the server in a row, none of its answers between
LONGEST_REPEATED = 2000  # characters of an unusable answer that the repair request shows again
_THIS_REQUEST = ("400", "413", "422")  # what servers say to one request, a conversation too long for instance


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask.

    Attributes:
        form: Shows the answer's shape to the model, as ``schema`` says it to the server.
        sample: Number of the answer where one question is asked several times; it moves the seed.
    """

    system: str
    user: str
    form: str
    schema: Mapping[str, Any]
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Answered(Generic[Value]):
    """What came of a question: a value, or why not. ``first``: why the first answer had to be asked for again."""

    value: Value | Refusal
    first: Reason | None
    tokens: tuple[int, int]


@dataclass
class Asker:
    """Asks one model, and gives up on a server that keeps failing.

    The seed of a request follows from its words and the sample's number, so the same question gets the same answer
    whatever was asked before it.
    """

    model: ChatModel
    sampling: Sampling
    structured: bool = True  # send the JSON schema
    failures: int = field(default=0, init=False)  # of the server, in a row

    async def ask(
        self, question: Question, read: Callable[[Generation], Value | Refusal], gate: asyncio.Semaphore
    ) -> Answered[Value]:
        """Ask and read; where the answer cannot be used, say why and ask once more; ``gate`` bounds them."""
        messages = (Message("system", question.system), Message("user", question.user))
        answer = await self._send(messages, question, gate)
        if isinstance(answer, Refusal):
            return Answered(answer, None, (0, 0))
        value = _read(answer, read)
        tokens = (answer.prompt_tokens, answer.completion_tokens)
        if not isinstance(value, Refusal):
            return Answered(value, None, tokens)
        why = REASONS[value.reason]  # in our words: what the model wrote is not repeated as an instruction
        repair = fill("repair", why=why, form=question.form)
        unusable = Message("assistant", answer.text[:LONGEST_REPEATED] or "(nothing)")
        again = await self._send((*messages, unusable, Message("user", repair)), question, gate)
        if isinstance(again, Refusal):
            return Answered(value, value.reason, tokens)
        tokens = (tokens[0] + again.prompt_tokens, tokens[1] + again.completion_tokens)
        return Answered(_read(again, read), value.reason, tokens)

    async def _send(
        self, messages: tuple[Message, ...], question: Question, gate: asyncio.Semaphore
    ) -> Generation | Refusal:
        """Return the answer, or the kind of failure: a server's own words may repeat a key, and are no kind."""
        async with gate:
            if self.failures >= GIVE_UP_AFTER:
                return Refusal("server", f"not asked: {GIVE_UP_AFTER} requests in a row had failed")
            try:
                answer = await self.model.generate(self._request(messages, question))
            except EndpointError as error:
                if error.never_answered and halting().armed:  # a study, of which nothing would ever be rated
                    raise
                self.failures += error.cause not in _THIS_REQUEST
                return Refusal("server", f"status {error.cause}" if error.cause.isdigit() else error.cause)
            except ModelError as error:  # of a model in this process: there is no server that could be dead
                return Refusal("server", str(error))
            self.failures = 0
            return answer

    def _request(self, messages: tuple[Message, ...], question: Question) -> GenerationRequest:
        """A repair shares the key, and so the model's KV cache, with the question that it repairs."""
        return GenerationRequest(
            key=f"judge/{_digest(messages[:2])[:12]}/{question.sample}",
            messages=messages,
            seed=derive_seed("judge", _digest(messages), question.sample),
            sampling=self.sampling,
            schema=question.schema if self.structured else None,
        )


def asking_version(model: ChatModel, *, structured: bool) -> str:
    """Return the version of a judge's way of asking: 2 where answers are held to the JSON schema, else 1."""
    return "2" if structured and held_to_schemas(model) else "1"


def answer_schema(title: str, description: str, mark: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an answer: the question's mark as its id, and all that is ``asked``, name -> schema."""
    properties = {"id": {"type": "string", "enum": [mark]}, **asked}
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _digest(messages: tuple[Message, ...]) -> str:
    return sha256("\x1e".join(f"{message.role}\x1f{message.content}" for message in messages))


def _read(answer: Generation, read: Callable[[Generation], Value | Refusal]) -> Value | Refusal:
    return Refusal("declined") if answer.finish_reason == "refusal" else read(answer)
