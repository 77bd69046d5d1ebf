"""How the writer of training dialogues is asked for an empathy pattern: in words, and by example exchanges.

Small models follow examples better than words. Where they stand depends on what the writer's chat template bears.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from holdfast.agents.assistants.candidates import ExamplesAs
from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.prompts import example_turns, pattern_prompt, with_examples
from holdfast.agents.protocols import Message
from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.personas.schema import EmpathyPattern, Exchange

EXAMPLES_SHOWN = 6  # of a pattern's, drawn anew for each dialogue, so that not all begin alike


@dataclass(frozen=True, slots=True)
class SteeringPlaces:
    """Where a prompt may stand among a writer's messages.

    ``examples``: as turns or in the first system message; None: none are shown. ``late``: whether the words stand
    right before the newest message, where they keep their hold.
    """

    examples: ExamplesAs | None = None
    late: bool = True


LATE = SteeringPlaces()  # words alone, before the newest message: as the embedded model learned to read a prompt


@dataclass(frozen=True, slots=True)
class SteeringPrompt:
    """What steers one dialogue: ``opening`` stands before it, the words ``again`` right before its newest message."""

    opening: tuple[Message, ...] = ()
    again: str = ""

    def around(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return the conversation as the writer is sent it; the newest message is the user's."""
        repeated = (Message("system", self.again),) if self.again else ()
        return (*self.opening, *messages[:-1], *repeated, messages[-1])

    @property
    def example_replies(self) -> tuple[str, ...]:
        """The replies that are shown as turns; a reply that says one of them again is no reply to this user."""
        return tuple(message.content for message in self.opening if message.role == "assistant")


def places_for(template: ChatTemplate | None, examples: bool) -> SteeringPlaces:
    """Return where a writer's prompt may stand.

    Args:
        template: the writer's chat template; None where it is behind an endpoint: then examples stand as turns, and
            the words at the start beside them.
        examples: whether some are wanted.

    Raises:
        ModelError: the template does not end within bounds.
    """
    if template is None:
        return SteeringPlaces("turns" if examples else None, late=not examples)
    system, user, assistant = Message("system", "S"), Message("user", "U"), Message("assistant", "A")
    late = template.bears((user, assistant, system, user))
    if not examples:
        return SteeringPlaces(late=late)
    turns = template.bears((system, user, assistant, user))
    return SteeringPlaces("turns" if turns else "system", late)


def steering_prompt(pattern: EmpathyPattern, places: SteeringPlaces, seed: int = 0) -> SteeringPrompt:
    """Return the prompt that steers one dialogue; ``seed`` draws its examples.

    Raises:
        InputError: examples are wanted, and the pattern has none.
    """
    words = pattern_prompt(pattern)
    again = words if places.late else ""
    if places.examples is None:
        return SteeringPrompt((), words) if places.late else SteeringPrompt((Message("system", words),))
    if not pattern.examples:
        raise InputError(
            f"the pattern {pattern.id} has no examples to steer by; write some into it "
            "(examples: [{user: …, reply: …}]), or write examples: false under 'training'"
        )
    shown = _drawn(pattern.examples, seed)
    if places.examples == "system":
        return SteeringPrompt((Message("system", with_examples(words, shown)),), again)
    return SteeringPrompt((Message("system", words), *example_turns(shown)))  # nothing between them and the talk


def steering_sha256(pattern: EmpathyPattern, places: SteeringPlaces) -> str:
    """Return one hash for all prompts that steer towards ``pattern``: of its words and, where shown, its examples."""
    words = pattern_prompt(pattern)
    if places.examples is None:
        return sha256(words)
    turns = [message.as_dict() for message in example_turns(pattern.examples)]
    return sha256(json.dumps([words, places.examples, places.late, turns], ensure_ascii=False))


def _drawn(examples: Sequence[Exchange], seed: int) -> list[Exchange]:
    return Random(seed).sample(list(examples), min(EXAMPLES_SHOWN, len(examples)))
