"""The models of a persona, a task context and an empathy pattern, as read from YAML.

Levels of *expressed* empathy run 0-2 per mechanism (EPITOME; Sharma et al., EMNLP 2020). *Desired* empathy runs 1-3
(SENSE-7's PreTaskDesiredEmpathy). Which task asks for which pattern is holdfast's assumption, and every YAML that
makes such a choice carries an ``assumption`` text.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, RootModel, Tag, ValidationInfo, WithJsonSchema, field_validator
from pydantic.json_schema import JsonSchemaValue

from holdfast.core.errors import InputError
from holdfast.personas.frozen import Frozen, unheard
from holdfast.personas.story import Story

__all__ = [
    "AUTHORS",
    "DESIRED_ON_PERCEIVED_SCALE",
    "MECHANISMS",
    "EmpathyPattern",
    "Exchange",
    "Frozen",
    "Goal",
    "Id",
    "Language",
    "Level",
    "Mechanism",
    "MechanismLevels",
    "OwnLevels",
    "Persona",
    "Phrase",
    "Share",
    "Story",
    "TaskContext",
    "Temperament",
    "Text",
]

Mechanism = Literal["emotional_reaction", "interpretation", "exploration"]
MECHANISMS: tuple[Mechanism, ...] = ("emotional_reaction", "interpretation", "exploration")

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Phrase = Annotated[str, Field(min_length=1, max_length=80)]
Level = Annotated[float, Field(ge=0, le=2)]
Share = Annotated[float, Field(ge=0, le=1)]
Speech = Literal["plain", "warm", "terse", "chatty"]
Patience = Annotated[int, Field(ge=1, le=50, description="poor turns in a row before leaving")]
NAME_LENGTH = 40  # characters of a person's name
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]  # ISO 639

#: Whose choice a pattern or a task is that says nothing of it.
AUTHORS = "the study's author chose it"

#: Desired empathy 1/2/3 (SENSE-7) on the perceived scale 1-5: holdfast's assumption.
DESIRED_ON_PERCEIVED_SCALE: Mapping[int, float] = {1: 1.0, 2: 3.0, 3: 5.0}


class MechanismLevels(Frozen):
    """Target level, 0-2, of each EPITOME mechanism."""

    emotional_reaction: Level
    interpretation: Level
    exploration: Level

    def as_array(self) -> tuple[float, float, float]:
        """Return the levels in the order of :data:`MECHANISMS`."""
        return (self.emotional_reaction, self.interpretation, self.exploration)

    def on(self, dimensions: Sequence[str]) -> tuple[float, ...]:
        """Return the levels of ``dimensions`` in their order; nan where it names none."""
        return tuple(getattr(self, name) if name in MECHANISMS else math.nan for name in dimensions)


class OwnLevels(RootModel[dict[Id, float]]):
    """Target level of each dimension of another scale, which the study's first rater must be on."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    root: Annotated[dict[Id, float], Field(min_length=1, max_length=12)]

    def on(self, dimensions: Sequence[str]) -> tuple[float, ...]:
        """Return the levels of ``dimensions`` in their order; nan where it names none."""
        return tuple(self.root.get(name, math.nan) for name in dimensions)


def _whose(target: object) -> str:
    """Say which levels a target holds: those of the mechanisms, unless it names none of them."""
    names = target if isinstance(target, dict) else {}
    return "own" if isinstance(target, OwnLevels) or (names and not set(MECHANISMS) & set(names)) else "mechanisms"


#: The keys of a target on another scale are free, so an editor cannot complete them.
_OWN_SCHEMA: JsonSchemaValue = {"type": "object", "patternProperties": {r"^[a-z][a-z0-9_]*$": {"type": "number"}}}
Target = Annotated[
    Annotated[MechanismLevels, Tag("mechanisms")] | Annotated[OwnLevels, Tag("own"), WithJsonSchema(_OWN_SCHEMA)],
    Discriminator(_whose),
]


class Exchange(Frozen):
    """What somebody might say, and a reply that shows a pattern."""

    user: Text
    reply: Text


class EmpathyPattern(Frozen):
    """The empathy that an assistant should express in some contexts; one expert adapter is trained per pattern.

    ``target``: levels of EPITOME's mechanisms, or of the dimensions of another scale, ``scale`` by its id where it is
    named. A system prompt asks for a level of another scale in the ``words`` of its dimension. ``examples``: exchanges
    that show the pattern to a model that follows examples better than words. They share no person, topic or sentence
    with the people who are tested.
    """

    id: Id
    title: Text
    description: Text
    assumption: Text = AUTHORS
    scale: Id | None = None
    target: Target
    words: Annotated[dict[Id, Text], Field(validate_default=True)] = Field(default_factory=dict)
    advice: Literal[0, 1, 2]  # how much practical advice: none, a little, concrete steps
    examples: Annotated[tuple[Exchange, ...], Field(max_length=24)] = ()

    @field_validator("words")
    @classmethod
    def _words_for_each_dimension(cls, words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        target = info.data.get("target")
        wanted = tuple(target.root) if isinstance(target, OwnLevels) else ()
        if target is not None and (lacking := [name for name in wanted if name not in words]):
            raise ValueError(
                f"no words for {', '.join(lacking)}; say for each dimension of another scale how a system prompt asks "
                f"for its level: words: {{{lacking[0]}: …}}"
            )
        if target is not None and (odd := [name for name in words if name not in wanted]):
            raise ValueError(f"{', '.join(odd)}: no dimension of the target that needs words; remove it")
        return words

    @property
    def expressed(self) -> MechanismLevels:
        """The target where it is on EPITOME's mechanisms.

        Raises:
            InputError: it is on another scale.
        """
        if not isinstance(self.target, MechanismLevels):
            raise InputError(
                f"pattern {self.id!r}: its target is on another scale ({', '.join(self.target.root)}), and experts are "
                f"trained towards levels of EPITOME's mechanisms ({', '.join(MECHANISMS)}) only: leave out 'training', "
                "or train in a study of patterns on these, and name its adapters with 'adapters: FOLDER'"
            )
        return self.target

    @property
    def unsaid(self) -> set[str]:
        """Names of the fields that older studies did not know, where they say nothing: left out of hashes."""
        return {name for name in ("scale", "words") if not getattr(self, name)}


class TaskContext(Frozen):
    """What a conversation is for, and the pattern that people expect there."""

    id: Id
    title: Text
    description: Text
    assumption: Text = AUTHORS
    pattern: Id
    topics: tuple[Phrase, ...] = Field(min_length=3)  # noun phrases typical of the task: "the budget report"
    needs: tuple[Phrase, ...] = Field(min_length=3)  # verb phrases a user may want help with: "find the bug"


class Goal(Frozen):
    """One step towards what the persona wants. ``after`` names goals that must be served first (acyclic)."""

    id: Annotated[Id, unheard("names the goal in 'after', among the story's words, and in results")]
    need: Phrase = Field(description='a verb phrase: "sort the slides"')
    topic: Phrase = Field(description='a noun phrase: "the slide deck"')
    after: Annotated[tuple[Id, ...], Field(description="goals that must be served before this one")] = ()


class Temperament(Frozen):
    """How the persona's emotion moves; all values in [0, 1]."""

    reactivity: Annotated[Share, Field(description="how strongly one reply moves the emotion")] = 0.5
    # SAGE's lag-1 autocorrelation is 0.59
    stickiness: Annotated[Share, Field(description="how much of the last change of emotion carries over")] = 0.6
    warmth: Annotated[Share, Field(description="how readily a good reply turns the tone warm, and is thanked for")] = (
        0.5
    )


class Persona(Frozen):
    """A simulated user: background, style, temperament, goals, expectation."""

    id: Annotated[Id, unheard("names the person in studies, journals and results")]
    name: Annotated[
        str,
        Field(min_length=1, max_length=NAME_LENGTH),
        unheard("stands on pages, and in the prompt of a model that plays the person"),
    ]
    task: Annotated[
        Id, unheard("what the talk is for: it says which pattern replies are held against, and who meets this person")
    ]
    background: Annotated[
        Text, unheard("stands on pages, and in the prompt of a model that plays the person; never said word for word")
    ]
    speech: Speech = Field(description="how the person speaks in an ordinary mood")
    temperament: Temperament = Temperament()
    goals: tuple[Goal, ...] = Field(min_length=1, max_length=12, description="what the person wants to get done")
    feelings: tuple[Phrase, ...] = Field(min_length=1, max_length=12, description='adjectives: "anxious"')
    topics: tuple[Phrase, ...] = Field(min_length=1, max_length=24, description="noun phrases disclosed over time")
    desired_empathy: Literal[1, 2, 3] = Field(description="wanted beforehand: 1 little, 2 some, 3 much")
    language: Annotated[Language, Field(description="spoken, and that of feelings, topics, needs and story")] = "en"
    patience: Patience = 6
    story: Annotated[
        Story | None, Field(description="what happened, and the person's own words; else the grammar speaks")
    ] = None

    @property
    def unsaid(self) -> set[str]:
        """Names of the fields that older studies did not know, where they say nothing: left out of hashes."""
        return {name for name, default in (("language", "en"), ("story", None)) if getattr(self, name) == default}
