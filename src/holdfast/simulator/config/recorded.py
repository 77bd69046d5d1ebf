"""The study of a run as its journal keeps it: a report needs nothing but the run folder."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.core.seeds import derive_seed
from holdfast.core.wording import first_line, quote
from holdfast.personas.loading import patterns, tasks
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import PersonaChoice, StudyConfig
from holdfast.simulator.config.study_file import STUDY_FILE, load_study
from holdfast.simulator.journal.file import damaged
from holdfast.simulator.records import EpisodeRecord

WORLD = "world"  # tasks, patterns and personas, in a journal's meta

_Model = TypeVar("_Model", bound=BaseModel)


def world_json(plan: Plan) -> str:
    """Return the tasks, patterns and personas of a study as JSON."""
    parts = {"tasks": plan.tasks, "patterns": plan.patterns, "personas": plan.people or plan.personas}
    texts = {name: {id: each.model_dump(mode="json") for id, each in part.items()} for name, part in parts.items()}
    return json.dumps(texts, ensure_ascii=False)


def recorded_tasks(
    meta: Mapping[str, str], journal: Path
) -> tuple[Mapping[str, TaskContext], Mapping[str, EmpathyPattern]]:
    """Return the tasks and patterns of a run; those that holdfast ships where its journal is too old to have them.

    Raises:
        JournalError: the journal is damaged.
    """
    world = _world(meta, journal)
    return (
        _models(TaskContext, world["tasks"], journal) if "tasks" in world else tasks(),
        _models(EmpathyPattern, world["patterns"], journal) if "patterns" in world else patterns(),
    )


def recorded_plan(meta: Mapping[str, str], journal: Path) -> Plan:
    """Return the plan of a run, without its episodes.

    It is read from the journal. One that does not hold its study (another version of holdfast wrote it) is taken with
    the study.yaml beside it.

    Raises:
        InputError: there is no study.
        JournalError: the journal is damaged.
    """
    study = _study(meta, journal)
    if study is None:
        if not (journal.parent / STUDY_FILE).exists():
            raise InputError(f"{journal.parent} holds no {STUDY_FILE}: not a run folder")
        return resolve(load_study(journal.parent / STUDY_FILE))
    world, recorded = _world(meta, journal), json.loads(meta["study"])
    tested = recorded["personas"]
    people = _models(Persona, world.get("personas", tested), journal)
    population, personas = None, _models(Persona, tested, journal)
    if study.population is not None:
        from holdfast.personas.population import build_population  # brings networkx

        population = build_population(study.population, derive_seed(study.seed, "population"), people)
    variants = _models(Persona, _with_their_persona(recorded.get("variants", {}), tested), journal)
    return Plan(study, personas, None, population, (), *recorded_tasks(meta, journal), people, variants)


def _with_their_persona(variants: Any, personas: Mapping[str, Any]) -> Any:
    """Return the variants with what they have in common with their persona, of which a journal keeps one copy."""
    if not isinstance(variants, dict):
        return variants
    return {id: {**personas.get(id.rpartition("-")[0], {}), **each} for id, each in variants.items()}


def _study(meta: Mapping[str, str], journal: Path) -> StudyConfig | None:
    """Return the study of a fingerprint; None where there is none, or this version cannot read it."""
    text = meta.get("study", "{}")
    if "study_sha256" in meta and sha256(text) != meta["study_sha256"]:
        raise damaged(journal, "its study is not as it was written")
    try:
        fields = json.loads(text)
        fields |= {"personas": PersonaChoice(), "replicates": fields.pop("seeds")}
        fields.pop("variants", None)
        fields.setdefault("feeler", "formula")  # before there were feelers
        return StudyConfig.model_validate(fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _world(meta: Mapping[str, str], journal: Path) -> dict[str, Any]:
    try:
        world = json.loads(meta.get(WORLD, "{}"))
    except (ValueError, RecursionError) as error:
        raise damaged(journal, f"its tasks and personas are no JSON: {error}") from error
    return world if isinstance(world, dict) else {}


def _models(model: type[_Model], texts: Any, journal: Path) -> dict[str, _Model]:
    try:
        return {str(id): model.model_validate_json(json.dumps(each), strict=True) for id, each in texts.items()}
    except (ValidationError, AttributeError) as error:
        raise damaged(journal, f"a {model.__name__} cannot be read: {first_line(error)}") from error


def check_recorded(plan: Plan, episodes: Iterable[EpisodeRecord], journal: Path) -> None:
    """Check that the study knows who takes part in each conversation. Raises JournalError where it does not."""
    known = {"candidate": plan.study.candidate_names, "persona": plan.personas, "task": plan.tasks}
    for episode in episodes:
        for what, names in known.items():
            if (name := getattr(episode.spec, what)) not in names:
                raise damaged(
                    journal, f"the conversation {quote(episode.spec.id)} has a {what} {quote(name)} of no study"
                )
