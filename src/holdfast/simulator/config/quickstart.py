"""Which study the quickstart is for a model: the embedded one's, or one that a model of its size soon ends."""

from importlib.resources import files
from pathlib import Path

from holdfast.agents.models.spec import ModelSpec
from holdfast.core.text import visible
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import PersonaChoice, StudyConfig
from holdfast.simulator.config.study_file import load_study

EMBEDDED = ModelSpec(ref="micro")
SMALL = 300_000_000  # parameters
LONGEST_REMARK = 2000  # characters


def quickstart_study(model: ModelSpec, parameters: int) -> StudyConfig:
    """Return the quickstart's study for ``model``, which has so many ``parameters``.

    A model that says neither a type of numbers nor a device runs in float32, and byte-reproducibly: what its files say
    is often half precision, which a CPU is slow in.
    """
    if model.ref == EMBEDDED.ref:
        return _shipped("quickstart").model_copy(update={"model": model})
    if model.dtype is None and model.device is None:
        model = model.model_copy(update={"dtype": "float32", "reproducible": True})
    study = _shipped("quickstart_small" if parameters <= SMALL else "quickstart_larger")
    return study.model_copy(update={"model": model})


def without_experts(study: StudyConfig, reason: str) -> StudyConfig:
    """Return the part of a study that needs no training: the same people and untrained candidates.

    ``reason``: why nothing could be trained; it stands in the results. It may hold a model's words.
    """
    people = PersonaChoice(ids=tuple(resolve(study).personas))
    untrained = tuple(spec for spec in study.candidates if not spec.trained)
    remark = visible(f"Nothing was trained, so only untrained candidates are shown. {reason}")[:LONGEST_REMARK]
    return study.model_copy(update={"training": None, "personas": people, "candidates": untrained, "remark": remark})


def without_promise(study: StudyConfig) -> StudyConfig:
    """Return the study on the same model, which need not be byte-reproducible."""
    return study.model_copy(update={"model": study.model.model_copy(update={"reproducible": False})})


def _shipped(name: str) -> StudyConfig:
    return load_study(Path(str(files("holdfast.simulator.config") / f"{name}.yaml")))
