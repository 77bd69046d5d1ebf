"""The raters of a study: opened, called together where they compute, and named among what a run follows from."""

from collections.abc import Mapping
from pathlib import Path

from holdfast.adapters.micro import base_path
from holdfast.agents.models.opening import local_reference
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import ChatModel
from holdfast.agents.raters.coalescing import CoalescingRater
from holdfast.agents.raters.dialogue.rater import FittedRater
from holdfast.agents.raters.felt.feelers import PeopleFeelerSpec, feeling_raters
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.fitted import open_fitted
from holdfast.agents.raters.gate.language import ENGLISH
from holdfast.agents.raters.gate.rater import GATE_VERSION, GatedRater, ungated
from holdfast.agents.raters.judge.rater import JudgeRater
from holdfast.agents.raters.protocol import EXPRESSED, Rater
from holdfast.agents.raters.registry import RaterResources, build, require_guide, require_targets
from holdfast.agents.raters.specs import FittedSpec, RaterSpec, RewardSpec
from holdfast.core.errors import InputError
from holdfast.core.files import expanded
from holdfast.core.hashing import settings_sha256s
from holdfast.core.wording import either, quote
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.config.study import StudyConfig


def judge_models(study: StudyConfig) -> tuple[ModelSpec, ...]:
    """Return the models that judges ask: the study's, the feeler, and those that train or choose replies."""
    named = (*study.raters, *feeling_raters(study.feeler), *_trainers(study), *_choosers(study))
    return tuple(model for spec in named for model in spec.models)


def _trainers(study: StudyConfig) -> tuple[RaterSpec, ...]:
    """The rater that picks training dialogues, where it is not the study's first."""
    named = study.training.rater if study.training is not None else None
    return () if named is None else (named,)


def _choosers(study: StudyConfig) -> tuple[RaterSpec, ...]:
    """The raters by which candidates choose their replies, each once."""
    return tuple(dict.fromkeys(rater for candidate in study.candidates for rater in candidate.raters))


def choosing_raters(study: StudyConfig, models: Mapping[ModelSpec, ChatModel]) -> dict[RaterSpec, Rater]:
    """Return the raters by which candidates choose their replies, each behind the gate. Raises as :func:`raters_of`.

    They are not coalesced: a reward hangs, in its last digits, on what shares its batch, and a choice may hang on them.
    """
    opened = {spec: build([spec], RaterResources(models, base_path()))[spec.label] for spec in _choosers(study)}
    return {spec: GatedRater(ungated(rater)) for spec, rater in opened.items()}


def training_rater(study: StudyConfig, raters: Mapping[str, Rater], models: Mapping[ModelSpec, ChatModel]) -> Rater:
    """Return the rater that picks and filters training dialogues.

    Raises:
        InputError: it rates another scale than expressed empathy, or as :func:`raters_of` says.
    """
    named = _trainers(study)
    opened = build(named, RaterResources(models, base_path())) if named else raters
    name, rater = next(iter(opened.items()))
    _require_expressed(name, rater.scale.id)
    return rater


def raters_of(study: StudyConfig, models: Mapping[ModelSpec, ChatModel]) -> dict[str, Rater]:
    """Return the study's raters by name, the primary one first, feelers last. ``models``: opened, judges' among them.

    Raises:
        InputError: a rater cannot be had, or none rates expressed empathy.
    """
    check_raters(study)
    return build((*study.raters, *feeling_raters(study.feeler)), RaterResources(models, base_path()))


def check_raters(study: StudyConfig) -> None:
    """Open what lies in folders, which is quick, so that a study is refused before a model is loaded.

    Raises:
        InputError: a folder holds no such rater, none rates expressed empathy, or a candidate
            chooses its replies by it, or by the study's feeler.
    """
    scales = {spec.label: _scale_id(spec) for spec in study.raters}
    require_guide(scales)
    if study.training is not None:
        spec = study.training.rater or study.raters[0]
        _require_expressed(spec.label, _scale_id(spec))
    judges = {_same_rater(spec): "feeler" for spec in feeling_raters(study.feeler)[:1]}
    judges[_same_rater(study.raters[0])] = "first rater"
    for candidate in study.candidates:
        for spec in candidate.raters:
            if judge := judges.get(_same_rater(spec)):
                other = "first one" if judge == "first rater" else "feeler"
                raise InputError(
                    f"candidate {candidate.name!r} chooses its replies by {spec.label}, the study's {judge}, which "
                    f"judges them: who chooses may not judge. Give the candidate another 'rater', or the study another "
                    f"{other}"
                )


def _require_expressed(trainer: str, scale: str | None) -> None:
    """Raise InputError where the rater that picks training replies is known to rate another scale."""
    if scale not in (None, EXPRESSED.id):
        raise InputError(
            f"training: rater: {trainer} rates {scale}, but replies are picked by expressed empathy: write such as "
            "linear_peers or linear"
        )


def _scale_id(spec: RaterSpec) -> str | None:
    return open_fitted(spec).scale.id if isinstance(spec, FittedSpec) else spec.scale_id


def check_targets(plan: Plan, raters: Mapping[str, Rater]) -> None:
    """Make sure that expected patterns are on the scale of the first rater, and that one rates expressed empathy.

    Raises:
        InputError: one is not, with the rater's dimensions and their range; or there is none.
    """
    require_guide({name: rater.scale.id for name, rater in raters.items()})
    tasks = sorted({persona.task for persona in plan.personas.values()})
    expected = {plan.tasks[task].pattern: plan.patterns[plan.tasks[task].pattern] for task in tasks}
    name, primary = next(iter(raters.items()))
    require_targets(name, primary.scale, expected.values())


def check_languages(study: StudyConfig, raters: Mapping[str, Rater], spoken: Mapping[str, str]) -> None:
    """Make sure that the first rater and the study's own feeler know the languages of its people.

    Args:
        study: The study.
        raters: By name, the primary one first.
        spoken: Language -> one persona that speaks it.

    Raises:
        InputError: one of them does not: every reply would be unrated.
    """
    for number, (name, rater) in enumerate(raters.items()):
        asked = ungated(rater)
        feels = isinstance(asked, PeopleFeeler) and isinstance(study.feeler, PeopleFeelerSpec)
        known: frozenset[str] | None = ENGLISH if feels else getattr(asked, "languages", None)
        if known is None or not (number == 0 or feels):
            continue
        if unknown := sorted(set(spoken) - known):
            what, instead = ("the feeler", "feeler") if feels else ("the first rater", "raters")
            language, who = unknown[0], quote(spoken[unknown[0]])
            judge = "{kind: model, model: …}" if feels else "[{kind: judge, model: …}]"
            raise InputError(
                f"persona {who} speaks {language}, and {what}, {name}, knows {either(sorted(known))}: every "
                f"reply would be unrated. Name a chat model that reads it: {instead}: {judge}"
            )


def _same_rater(spec: RaterSpec) -> object:
    """Return a value that two specs share where they are one rater: its weights', or its settings but for the name."""
    return open_fitted(spec).identity if isinstance(spec, FittedSpec) else spec.model_copy(update={"name": None})


def coalesced(raters: Mapping[str, Rater]) -> dict[str, Rater]:
    """Let raters that compute rate all conversations that are ready at once; a judge is asked for each alone, and the
    people's feeler reads one chat as fast as many."""
    return {
        name: rater if isinstance(ungated(rater), JudgeRater | PeopleFeeler) else CoalescingRater(rater)
        for name, rater in raters.items()
    }


def rater_inputs(raters: Mapping[str, Rater], study: StudyConfig) -> dict[str, str]:
    """Return what each rater's ratings follow from, as inputs of a run.

    These are the gate's version, the raters' identities (id where it is not the name, version, prompt), and the files
    beside a rater's weights or its encoder's. Raises ModelError where one of them cannot be read.
    """
    specs = {spec.label: spec for spec in study.raters}
    inputs = {"gate": GATE_VERSION}
    for name, rater in raters.items():
        inputs |= _inputs_of("rater", name, specs.get(name), rater)
    return inputs


def chooser_inputs(choosers: Mapping[RaterSpec, Rater]) -> dict[str, str]:
    """Return what the choices of candidates follow from, as :func:`rater_inputs` does for ratings. Raises as it."""
    named = (_inputs_of("choosing rater", spec.label, spec, rater) for spec, rater in choosers.items())
    return {what: hash for inputs in named for what, hash in inputs.items()}


def _inputs_of(what: str, name: str, spec: RaterSpec | None, rater: Rater) -> dict[str, str]:
    identity = rater.identity
    parts = ("" if identity.id == name else identity.id, identity.version, identity.prompt_sha256 or "")
    inputs = {f"{what} {name}": " ".join(filter(None, parts))}
    for folder in _folders(spec, ungated(rater)):
        inputs |= {f"{what} {name}: {file}": hash for file, hash in settings_sha256s(folder).items()}
    return inputs


def _folders(spec: RaterSpec | None, rater: Rater) -> list[Path]:
    """Return the folders whose files an identity's version does not cover: of a reward model, of an encoder."""
    if isinstance(spec, RewardSpec):
        return [local_reference(spec.base, base_path()).path, expanded(spec.folder)]
    encoder = rater.manifest.encoder if isinstance(rater, FittedRater) else None
    return [Path(encoder.name)] if encoder is not None and Path(encoder.name).is_dir() else []
