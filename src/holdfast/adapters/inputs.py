"""What dialogues and adapters follow from: the base, the writer, the people, the settings; hashes of what is large."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.prompting import LATE, SteeringPlaces, steering_sha256
from holdfast.adapters.dialogues.writing import TrainingPeople
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.agents.models.spec import TODAY, ModelSpec
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.protocols import ChatModel
from holdfast.agents.raters.protocol import Rater
from holdfast.core.hashing import settings_sha256s, sha256, weights_sha256
from holdfast.personas.schema import EmpathyPattern, Persona


@dataclass(frozen=True, slots=True)
class TrainingBase:
    """The base model as a chat model and as a folder to train on.

    ``name`` goes into the adapters' files: a hub id or a word, never a path. ``writer``: another model that writes the
    dialogues; None: the base does. ``places``: where a prompt may stand among the messages of whoever writes;
    ``own_words``: see :class:`holdfast.adapters.dialogues.filtering.Standard`.
    """

    model: ChatModel
    path: Path
    name: str
    writer: ChatModel | None = None
    writer_inputs: Mapping[str, str] = field(default_factory=dict)  # what the writer's words follow from
    today: date = TODAY  # what the base's chat template is told, if it asks for the date
    places: SteeringPlaces = LATE
    own_words: bool = True


def model_inputs(spec: ModelSpec, reference: ModelReference) -> dict[str, str]:
    """Return what the words of one model follow from."""
    name = f"model {spec.ref}"
    return folder_inputs(name, reference.path) if isinstance(reference, LocalReference) else {name: "served"}


def folder_inputs(what: str, folder: Path) -> dict[str, str]:
    """Return the hashes of a model's or an adapter's files, each named after ``what`` it is of and the file.

    Raises:
        ModelError: the folder holds no weights, or a file that cannot be read.
    """
    beside = {f"{what}: {name}": digest for name, digest in settings_sha256s(folder).items()}
    return {what: weights_sha256(folder), **beside}


def study_inputs(config: TrainingConfig, world: TrainingPeople, seed: int) -> dict[str, object]:
    """Return what of :func:`training_inputs` stands in the study: no model is needed to know it."""

    def people(personas: Sequence[Persona]) -> dict[str, str]:
        return {persona.id: sha256(persona.model_dump_json(exclude=persona.unsaid)) for persona in personas}

    return {
        "training": {name: value for name, value in config.as_hashed().items() if name not in ("concurrency", "model")},
        "seed": seed,
        "personas to train on": people(world.split.train),
        "personas held out": people(world.split.test),
        "tasks": {id: sha256(task.model_dump_json()) for id, task in world.tasks.items()},
    }


def training_inputs(
    config: TrainingConfig, world: TrainingPeople, base: TrainingBase, rater: Rater, seed: int
) -> dict[str, object]:
    """Return everything that trained files follow from, as :func:`train_experts` takes it; large parts as hashes."""
    study, identity = study_inputs(config, world, seed), rater.identity
    return {
        "training": study.pop("training"),
        **_by_size(config, base),
        **study,
        "patterns": {
            id: sha256(_steering(each, base.places) + each.model_dump_json(exclude={"examples"} | each.unsaid))
            for id, each in world.patterns.items()
        },
        "base": folder_inputs("weights", base.path),
        "writer": dict(base.writer_inputs) if base.writer is not None else "the base",
        "rater": " ".join(filter(None, (identity.id, identity.version, identity.prompt_sha256))),
    }


def drafting_inputs(
    config: TrainingConfig, world: TrainingPeople, base: TrainingBase, rater: Rater, seed: int
) -> dict[str, str]:
    """Return what each single dialogue follows from: not how many there are, nor what is trained on them."""
    inputs = training_inputs(config, world, base, rater, seed)
    inputs.pop("lora", None)
    inputs["training"] = config.model_dump(mode="json", include=set(TrainingConfig.OF_A_DIALOGUE))
    return {name: part if isinstance(part, str) else json.dumps(part, sort_keys=True) for name, part in inputs.items()}


def _steering(pattern: EmpathyPattern, places: SteeringPlaces) -> str:
    """Return what the prompts towards a pattern follow from, as records have it since before there were examples."""
    return pattern_prompt(pattern) if places == LATE else steering_sha256(pattern, places)


def _by_size(config: TrainingConfig, base: TrainingBase) -> dict[str, object]:
    """Return the settings that the size of a real base decides; the embedded model's are those of the study."""
    from holdfast.adapters.training.settings import settings_for  # brings transformers

    settings = settings_for(config, base.path)
    return {} if settings.small else {"lora": asdict(settings)}
