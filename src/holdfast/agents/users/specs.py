"""Pydantic models of a study's ``users``: who plays its personas.

::

    users: embedded
    users: {kind: embedded, voice: natural}
    users: {kind: model, model: "hf:models/my-model", sampling: {temperature: 0.8}}
    users: [embedded, {kind: model, name: micro as user}]
    users: [{kind: embedded, voice: natural}, {kind: embedded, name: in the grammar, voice: grammar}]

They play in the conversations that are measured; the dialogues that a study trains on always use embedded users, in the
voice of the first of these.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from holdfast.agents.assistants.specs import Name, SamplingSpec
from holdfast.agents.models.spec import AnyModelSpec
from holdfast.personas.schema import Frozen

EMBEDDED = "embedded"


class EmbeddedUsers(Frozen):
    """Users played by rules, without a model.

    ``voice``: "grammar" speaks in the few sentences that the embedded model knows, "natural" in the words of a
    persona's story, where it has one. None: natural, unless a model of the study is the embedded one. ``name`` stands
    in ids, tables and charts.
    """

    kind: Literal["embedded"] = "embedded"
    name: Name = EMBEDDED
    voice: Literal["grammar", "natural"] | None = None


class ModelUsers(Frozen):
    """Users played by a chat model, the study's where ``model`` is None; ``name`` stands in ids, tables and charts."""

    kind: Literal["model"]
    name: Name = "model"
    model: AnyModelSpec | None = None
    sampling: SamplingSpec = SamplingSpec(temperature=0.8)
    retries: Annotated[int, Field(ge=0, le=10)] = 2  # how often a refused message is generated again
    window: Annotated[int, Field(ge=1, le=20)] = 4  # exchanges remembered verbatim
    answer_tokens: Annotated[int, Field(ge=64, le=8192)] = 320  # tokens for one judgement of a reply

    @model_validator(mode="after")
    def _not_the_embedded(self) -> ModelUsers:
        if self.name == EMBEDDED:
            raise ValueError("'embedded' is the name of the users without a model; give another 'name'")
        return self


UserSpec = Annotated[EmbeddedUsers | ModelUsers, Field(discriminator="kind")]


def _spelt_out(value: Any) -> Any:
    """Turn a word into a mapping with its kind."""
    return {"kind": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _short(specs: tuple[EmbeddedUsers | ModelUsers, ...]) -> Any:
    """Write specs as YAML does: a lone ``embedded`` stays a word, so that old studies keep their hash."""
    dumped = [
        spec.model_dump(mode="json", exclude_none=True, exclude={"name"} if spec.name == EMBEDDED else None)
        for spec in specs
    ]
    written = [EMBEDDED if each == {"kind": EMBEDDED} else each for each in dumped]
    return written[0] if len(written) == 1 else written


Shown = UserSpec | Literal["embedded"]
"""One simulator as YAML writes it, for the JSON schema that editors and error messages read."""

Users = Annotated[
    tuple[Annotated[UserSpec, BeforeValidator(_spelt_out, json_schema_input_type=Shown)], ...],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=Shown | tuple[Shown, ...]),
    PlainSerializer(_short),
]
"""The type for a study's ``users``: a word, a mapping, or a list of both."""
