"""Who says what the person felt: a study's word ``feeler``, and the raters that it stands for.

::

    feeler: people                                  what people who chatted would say; the default
    feeler: {kind: model, model: "openai:gpt-4o"}   a chat model that takes the user's part
    feeler: formula                                 the user agents' own appraisal, which follows from expressed levels

Feelers rate beside a study's raters, on the scale of felt empathy, and their ratings stand in the journal among those.
They measure and drive nothing: how user agents behave follows from their own appraisal, whoever the feeler is.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from holdfast.agents.models.spec import AnyModelSpec
from holdfast.agents.raters.protocol import Rating
from holdfast.agents.raters.specs import FittedSpec, JudgeSpec, RaterSpec
from holdfast.personas.schema import Frozen

FeelerKind = Literal["people", "model", "formula"]
#: Kind -> the name of its ratings in journals and exports; the formula has none, its values are the user agents' own.
NAMES: Mapping[FeelerKind, str] = MappingProxyType({"people": "felt by people", "model": "felt by model"})


class PeopleFeelerSpec(Frozen):
    """Weights that were fitted on what people said of chats; see :mod:`holdfast.agents.raters.felt.rater`."""

    kind: Literal["people"] = "people"


class FormulaFeelerSpec(Frozen):
    """Nobody is asked: felt empathy is what the user agents' formula makes of the primary rater's levels."""

    kind: Literal["formula"] = "formula"


class ModelFeelerSpec(Frozen):
    """A chat model's inner monologue and its score; the fields are those of a judge."""

    kind: Literal["model"] = "model"
    model: AnyModelSpec
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    history: Annotated[int, Field(ge=1)] | None = None
    structured: bool = True
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=16)] = 512
    concurrency: Annotated[int, Field(ge=1, le=512)] = 8


FeelerSpec = Annotated[PeopleFeelerSpec | FormulaFeelerSpec | ModelFeelerSpec, Field(discriminator="kind")]


def _spelt_out(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _short(spec: PeopleFeelerSpec | FormulaFeelerSpec | ModelFeelerSpec) -> Any:
    return spec.model_dump(mode="json", exclude_none=True) if isinstance(spec, ModelFeelerSpec) else spec.kind


Feeler = Annotated[
    FeelerSpec,
    BeforeValidator(_spelt_out, json_schema_input_type=FeelerSpec | Literal["people", "formula"]),
    PlainSerializer(_short),
]
"""The type for a study's ``feeler``: a word, or a mapping."""


def feeling_raters(feeler: PeopleFeelerSpec | FormulaFeelerSpec | ModelFeelerSpec) -> tuple[RaterSpec, ...]:
    """Return the raters that say what was felt, the study's own first; people's weights, which cost nothing, stand
    beside a model. None for the formula."""
    people = FittedSpec(scale="felt", name=NAMES["people"])
    if isinstance(feeler, ModelFeelerSpec):
        asked = feeler.model_dump(exclude={"kind", "model"})
        return JudgeSpec(model=feeler.model, scale="felt", name=NAMES["model"], **asked), people
    return (people,) if isinstance(feeler, PeopleFeelerSpec) else ()


def kind_of(name: str) -> FeelerKind | None:
    """Return which feeler a rating's name belongs to; None for the name of a rater."""
    return next((kind for kind, known in NAMES.items() if known == name), None)


def feelings(ratings: Mapping[str, Rating]) -> dict[FeelerKind, Rating]:
    """Return the feelers' ratings of a reply, the study's own first."""
    return {kind: rating for name, rating in ratings.items() if (kind := kind_of(name)) is not None}
