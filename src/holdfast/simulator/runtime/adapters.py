"""Which adapters a study has: those that it trains, or those of a folder; and whether its candidates name others."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from holdfast.adapters.dialogues.writing import TrainingPeople
from holdfast.adapters.experts import ADAPTERS, ROUTER
from holdfast.adapters.routing.router import WordRouter
from holdfast.adapters.training.store import AdapterStore
from holdfast.agents.assistants.candidates import Router
from holdfast.agents.assistants.specs import of_training
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean
from holdfast.personas.schema import TaskContext
from holdfast.simulator.config.plan import Plan

ADAPTER = "adapter "  # what the name of an adapter begins with among a run's inputs


def adapters_in(folder: Path | str | None, plan: Plan | None = None) -> tuple[dict[str, Path], WordRouter | None]:
    """The adapters below ``folder`` by name, and the router beside them where there is one.

    Of a ``plan``, only those that its candidates can come to speak through.
    """
    if folder is None:
        return {}, None
    folder = Path(folder)
    path, adapters = folder / Path(ROUTER).name, AdapterStore(folder).paths()
    router = WordRouter.load(path) if path.exists() else None
    if plan is not None:
        used = {name for names in used_adapters(plan, adapters, router).values() for name in names}
        adapters = {name: path for name, path in adapters.items() if name in used}
    return adapters, router


def trained_in(out: Path) -> Path:
    """Where a run folder keeps the adapters that it trained."""
    return out / ADAPTERS


def training_people(plan: Plan) -> TrainingPeople:
    """The people of a study that trains, as training takes them."""
    assert plan.split is not None
    agent_for = partial(EmbeddedUser, natural=plan.study.natural_voice)
    return TrainingPeople(split=plan.split, tasks=plan.tasks, patterns=plan.patterns, agent_for=agent_for)


def check_training(plan: Plan) -> None:
    """Make sure that what the study trains is a pattern on EPITOME's mechanisms. Loads nothing.

    Raises:
        InputError: it is on another scale, or no persona to train on asks for it.
    """
    training = plan.study.training
    for pattern in training_people(plan).pattern_ids(training.patterns) if training is not None else ():
        _ = plan.patterns[pattern].expressed


def check_adapters(plan: Plan) -> None:
    """Make sure that the study has, or will train, every adapter that its candidates name. Loads nothing.

    A candidate behind an endpoint may name what its server knows, unless the study has a folder of adapters.

    Raises:
        InputError: an adapter is in no folder, or there is none at all.
    """
    study, names = plan.study, adapter_names(plan)
    adapted = [spec for spec in study.arms if spec.trained]
    lacking = [spec.name for spec in adapted if (spec.model or study.model).local]
    if lacking and not names:
        raise InputError(
            f"candidates {', '.join(lacking)} speak through adapters, and the study has none: "
            "add a 'training' section, or 'adapters: FOLDER' of a run that trained some"
        )
    if study.training is None and study.adapters is None:
        return
    tasks = _tested(plan)
    for spec in adapted:
        for name in sorted(spec.adapter_names(tasks).difference(names)):
            source = study.adapters if study.training is None else "the study's training"
            raise InputError(
                f"candidate {spec.name!r} speaks through the adapter {name!r}, which {source} does not give"
                f"{did_you_mean(name, names)} (adapters there: {', '.join(names) or 'none'})"
            )


def used_adapters(plan: Plan, names: Iterable[str], router: Router | None) -> dict[ModelSpec, tuple[str, ...]]:
    """Return, for each model, which of the adapters ``names`` its candidates can come to speak through, sorted.

    What else lies in the folder is not loaded: it may be broken, or of another base.
    """
    known = getattr(router, "tasks", tuple(plan.tasks))
    recognised = [plan.tasks[task] for task in known if task in plan.tasks]
    used: dict[ModelSpec, set[str]] = {}
    for spec in plan.study.arms:
        if spec.trained:
            reached = spec.reachable_adapters(_tested(plan), recognised).intersection(names)
            used.setdefault(spec.model or plan.study.model, set()).update(reached)
    return {model: tuple(sorted(reached)) for model, reached in used.items()}


def unused_inputs(plan: Plan, inputs: Iterable[str]) -> set[str]:
    """Return the inputs of a run that are of no candidate's adapter: runs of before recorded a folder's others too."""
    tested, everywhere = _tested(plan), tuple(plan.tasks.values())
    reached = {name for spec in plan.study.arms for name in spec.reachable_adapters(tested, everywhere)}
    starts = tuple(f"{ADAPTER}{name}: " for name in reached)  # of a file beside an adapter's weights
    return {name for name in inputs if name.startswith(ADAPTER) and not f"{name}: ".startswith(starts)}


def _tested(plan: Plan) -> list[TaskContext]:
    return [plan.tasks[id] for id in sorted({persona.task for persona in plan.personas.values()})]


def adapter_names(plan: Plan) -> tuple[str, ...]:
    """Names of the adapters that the study will have: one per pattern that it trains, or those of its folder."""
    study = plan.study
    if study.training is not None:
        patterns = training_people(plan).pattern_ids(study.training.patterns)
        numbers = range(1, study.training.replicates + 1)
        return tuple(of_training(pattern, number) for pattern in patterns for number in numbers)
    return () if study.adapters is None else AdapterStore(Path(study.adapters)).names()
