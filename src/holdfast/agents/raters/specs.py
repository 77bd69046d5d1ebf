"""What YAML and the command line may say about each kind of rater.

::

    raters: [linear, {kind: judge, model: "openai:gpt-4o", samples: 3}, runs/my_rater]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from holdfast.agents.models.spec import AnyModelSpec
from holdfast.agents.raters.protocol import EXPRESSED, SCALES, Scale
from holdfast.core.errors import InputError
from holdfast.core.files import expanded, is_folder
from holdfast.core.wording import printable, quote
from holdfast.personas.schema import Frozen, Id, Text

ScaleId = Literal["expressed", "perceived", "acts", "felt"]
RaterName = Annotated[str, Field(min_length=1, max_length=400)]


WITHDRAWN = (
    "the fitted rater of communicated acts is withdrawn: with the experts on conversations left out it agreed by a "
    "weighted kappa of .25 only. A chat model can rate the scale acts: {kind: judge, model: REFERENCE, scale: acts}"
)


def require_fitted(scale: object) -> object:
    """Return ``scale``; a ValueError where no fitted rater rates it any more."""
    if scale == "acts":
        raise ValueError(WITHDRAWN)
    return scale


def _path(text: str) -> str:
    try:
        expanded(text)
    except InputError as error:
        raise ValueError(str(error)) from None
    return text


Folder = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_path)]


class OwnScale(Frozen):
    """A scale of one's own, which a judge rates: ``dimensions`` by name, each with what its level says.

    ::

        scale: {id: desk, low: 1, high: 5, dimensions: {clarity: "1 = nobody could follow it, 5 = one step at a time"}}
    """

    id: Id
    low: float = 1
    high: float = 5
    dimensions: Annotated[dict[Id, Text], Field(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _a_scale_of_ones_own(self) -> OwnScale:
        if self.low >= self.high:
            raise ValueError(f"low is below high; got {self.low:g} and {self.high:g}")
        if self.id in SCALES:
            raise ValueError(f"the scale {self.id} is holdfast's own; give yours another id")
        if taken := sorted({"adherence", "expressed", "perceived", "mean"} & set(self.dimensions)):
            raise ValueError(f"no dimension may be called {', '.join(taken)}, which results call something else")
        return self

    def __hash__(self) -> int:
        return hash((self.id, self.low, self.high, tuple(self.dimensions.items())))

    @property
    def scale(self) -> Scale:
        return Scale(self.id, tuple(self.dimensions), self.low, self.high)


JudgedScale = Annotated[
    Annotated[ScaleId, Tag("word")] | Annotated[OwnScale, Tag("own")],
    Discriminator(lambda scale: "word" if isinstance(scale, str) else "own"),
]


class RaterSpec(Frozen):
    """What every kind has. ``name`` stands in journals, tables and charts; named after what it is where left out."""

    kind: str
    name: RaterName | None = None

    @property
    def label(self) -> str:
        """The name, given or not."""
        return self.name or self.default_name

    @property
    def default_name(self) -> str:
        return self.kind

    @property
    def scale_id(self) -> str | None:
        """The scale that it rates on; None where only its files can say."""
        return None

    @property
    def known_scale(self) -> Scale | None:
        """The same with its dimensions, where that can be told before it is opened."""
        return SCALES.get(self.scale_id or "")

    @property
    def models(self) -> tuple[AnyModelSpec, ...]:
        """The chat models that it asks."""
        return ()

    def beside(self, folder: Path) -> Self:
        """The same with its files relative to ``folder``. Raises InputError where its own folder is not there."""
        given = getattr(self, "folder", None)
        if given is None:
            return self
        path = folder / expanded(given)
        if not is_folder(path):
            raise InputError(f"{printable(str(path))}: no such folder, where the rater {quote(self.label)} should lie")
        return self.model_copy(update={"folder": str(path)})


class FittedSpec(RaterSpec):
    """Fitted on human labels: those that holdfast ships, or in ``folder`` as ``holdfast rater fit`` or ``train`` wrote
    them. A folder is one rater, or holds one per scale in sub-folders; ``scale`` chooses, expressed where left out.

    ``linear_peers``: the shipped rater of expressed empathy that saw Reddit's peers only, no replies of assistants;
    ``encoder`` without a folder: the shipped one on a frozen encoder, whose weights ``holdfast rater fetch`` gets.
    """

    kind: Literal["linear", "linear_peers", "encoder"] = "linear"
    folder: Folder | None = None
    scale: ScaleId | None = None

    @field_validator("scale", mode="before")
    @classmethod
    def _not_withdrawn(cls, scale: object) -> object:
        return require_fitted(scale)

    @model_validator(mode="after")
    def _shipped_on_one_scale(self) -> FittedSpec:
        if self.kind == "encoder" and self.folder is None and self.scale not in (None, EXPRESSED.id):
            raise ValueError(
                "the shipped encoder rates expressed empathy; for another scale add 'folder: DIR', which "
                "`holdfast rater train` writes"
            )
        if self.kind == "linear_peers" and (self.folder is not None or self.scale not in (None, EXPRESSED.id)):
            raise ValueError("linear_peers is a shipped rater of expressed empathy; for one of your own write 'linear'")
        return self

    @property
    def default_name(self) -> str:
        return self.kind if self.folder is None else Path(self.folder).name

    @property
    def scale_id(self) -> str | None:
        return self.scale or (EXPRESSED.id if self.folder is None else None)


class RewardSpec(RaterSpec):
    """A reward model that ``holdfast rater reward`` wrote into ``folder``, on the model ``base``."""

    kind: Literal["reward"] = "reward"
    folder: Folder
    base: Annotated[str, Field(min_length=1)] = "micro"

    @property
    def scale_id(self) -> str | None:
        return "preferred"


class JudgeSpec(RaterSpec):
    """A chat model, asked with a rubric. See :class:`holdfast.agents.raters.judge.rater.JudgeRater`.

    ``base_url`` and ``api_key_env`` may stand here instead of inside ``model``.
    """

    kind: Literal["judge"] = "judge"
    model: AnyModelSpec
    scale: JudgedScale = "expressed"
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    history: Annotated[int, Field(ge=1)] | None = None  # messages shown before the rated reply; None: all
    descriptive: bool = False
    structured: bool = True  # send a JSON schema
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None  # None: 0 for one sample, else .7
    max_tokens: Annotated[int, Field(ge=16)] = 512
    concurrency: Annotated[int, Field(ge=1, le=512)] = 8  # requests at once, of one call

    @model_validator(mode="before")
    @classmethod
    def _where_it_is_served(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        served = {key: data[key] for key in ("base_url", "api_key_env") if key in data}
        rest = {key: value for key, value in data.items() if key not in served}
        if served and isinstance(data.get("model"), str | dict):
            model = {"ref": data["model"]} if isinstance(data["model"], str) else data["model"]
            rest["model"] = {**model, **served}
        return rest

    @property
    def default_name(self) -> str:
        return self.model.ref

    @property
    def scale_id(self) -> str | None:
        return self.scale if isinstance(self.scale, str) else self.scale.id

    @property
    def known_scale(self) -> Scale | None:
        return SCALES[self.scale] if isinstance(self.scale, str) else self.scale.scale

    @property
    def models(self) -> tuple[AnyModelSpec, ...]:
        return (self.model,)
