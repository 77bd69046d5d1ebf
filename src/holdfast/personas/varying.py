"""The ``vary`` of a study's ``personas``: several variants of each person, drawn from a seed.

::

    personas:
      ids: [jun_park, priya_raman]
      vary:
        count: 5
        seed: 3
        fields:
          patience: [2, 6]                         # from, to
          temperament: {reactivity: [0.2, 0.8]}    # from, to
          speech: [terse, plain]                   # one of these
          desired_empathy: [1, 3]                  # one of these

The variants take their person's place. They share its story, goals and topics, so statistics count all variants of a
person as one (:attr:`holdfast.simulator.records.EpisodeSpec.persona` is the person, ``agent`` the variant).
"""

import random
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from holdfast.core.seeds import derive_seed
from holdfast.personas.frozen import Frozen
from holdfast.personas.schema import NAME_LENGTH, Patience, Persona, Share, Speech

#: Fields of a persona in which its variants differ.
VARIED = frozenset(("name", "patience", "speech", "desired_empathy", "temperament"))

Shares = Annotated[tuple[Share, Share], Field(description="from, to")]
Value = TypeVar("Value")


class VaryTemperament(Frozen):
    """Ranges of the temperament's parts."""

    reactivity: Shares | None = None
    stickiness: Shares | None = None
    warmth: Shares | None = None


class VaryFields(Frozen):
    """What is varied: ranges (from, to), and words or levels of which one is taken."""

    patience: Annotated[tuple[Patience, Patience], Field(description="from, to")] | None = None
    temperament: VaryTemperament | None = None
    speech: Annotated[tuple[Speech, ...], Field(min_length=1, max_length=4)] | None = None
    desired_empathy: Annotated[tuple[Literal[1, 2, 3], ...], Field(min_length=1, max_length=3)] | None = None

    @model_validator(mode="after")
    def _from_low_to_high(self) -> Self:
        for name, (low, high) in self.ranges().items():
            if low > high:
                raise ValueError(f"{name}: goes from {low:g} down to {high:g}; write the smaller number first")
        if not (self.ranges() or self.speech or self.desired_empathy):
            raise ValueError("varies nothing; name a field: patience, temperament, speech or desired_empathy")
        return self

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the ranges that are given, by the field's name."""
        given = {"patience": self.patience, **({} if self.temperament is None else dict(self.temperament))}
        return {name: ends for name, ends in given.items() if ends is not None}


class VaryConfig(Frozen):
    """``count`` variants of each person; the same ``seed`` makes the same ones."""

    count: Annotated[int, Field(ge=1, le=100)]
    seed: Annotated[int, Field(ge=0, le=(1 << 63) - 1)] = 0
    fields: VaryFields


def variants_of(persona: Persona, config: VaryConfig) -> dict[str, Persona]:
    """Return the variants of a person by ``ID-1``, ``ID-2``, …; their ``id`` stays the person's.

    Each field is spread evenly: the n-th variant takes a random place in one of ``count`` equal parts of the range, the
    parts in a random order (Latin hypercube sampling; McKay, Beckman & Conover, Technometrics 21(2), 1979).
    """
    columns = {name: _column(persona, config, name) for name in (*config.fields.ranges(), "speech", "desired_empathy")}
    return {
        f"{persona.id}-{number}": persona.model_copy(update=_changes(persona, config.fields, number, columns))
        for number in range(1, config.count + 1)
    }


def _column(persona: Persona, config: VaryConfig, name: str) -> list[float]:
    """Return a place in [0, 1) for each variant."""
    rng = random.Random(derive_seed(config.seed, "vary", persona.id, name))
    parts = list(range(config.count))
    rng.shuffle(parts)
    return [(part + rng.random()) / config.count for part in parts]


def _changes(
    persona: Persona, fields: VaryFields, number: int, columns: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    at = {name: column[number - 1] for name, column in columns.items()}
    ending = f" {number}"
    changes: dict[str, Any] = {"name": persona.name[: NAME_LENGTH - len(ending)] + ending}
    moods = {}
    for name, (low, high) in fields.ranges().items():
        if name == "patience":
            changes[name] = int(low) + int(at[name] * (high - low + 1))
        else:
            moods[name] = min(max(round(low + at[name] * (high - low), 2), low), high)  # a narrow range has no cents
    if moods:
        changes["temperament"] = persona.temperament.model_copy(update=moods)
    if fields.speech is not None:
        changes["speech"] = _one_of(fields.speech, at["speech"])
    if fields.desired_empathy is not None:
        changes["desired_empathy"] = _one_of(fields.desired_empathy, at["desired_empathy"])
    return changes


def _one_of(choices: Sequence[Value], place: float) -> Value:
    return choices[int(place * len(choices))]
