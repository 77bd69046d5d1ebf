"""A study resolved: who meets whom, in an order that never changes, and a fingerprint that tells two studies apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from holdfast.adapters.dialogues.split import Split, split_personas
from holdfast.agents.models.spec import effect
from holdfast.agents.raters.registry import require_targets
from holdfast.agents.users.rules.speech import phrases_text
from holdfast.agents.users.specs import EMBEDDED
from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.core.seeds import derive_seed
from holdfast.core.wording import shorten
from holdfast.personas.loading import library, own_personas
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.personas.varying import VARIED, variants_of
from holdfast.personas.world import World
from holdfast.simulator.config.holding import ASSUMED
from holdfast.simulator.config.study import StudyConfig, repeated
from holdfast.simulator.records import EpisodeSpec

if TYPE_CHECKING:
    from holdfast.personas.population import Population

#: Settings that change how fast a study runs or what is said of it, and nothing that it finds.
_WITHOUT_EFFECT = ("batch_size", "concurrency", "budget", "remark")
#: What a fingerprint means that lacks the key: what there was before there was a choice.
_BEFORE = {"feeler": "formula"}


@dataclass(frozen=True)
class Plan:
    """What a study comes to.

    ``personas``: those that are tested, by id; ``split``: where the study trains; ``population``: where it has one,
    drawn from ``people``; ``variants``: by the agent's id, where personas are varied.
    """

    study: StudyConfig
    personas: Mapping[str, Persona]
    split: Split | None
    population: Population | None
    episodes: tuple[EpisodeSpec, ...]
    tasks: Mapping[str, TaskContext]
    patterns: Mapping[str, EmpathyPattern]
    people: Mapping[str, Persona] = field(default_factory=dict)
    variants: Mapping[str, Persona] = field(default_factory=dict)

    def person(self, spec: EpisodeSpec) -> Persona:
        """Return who takes part in a conversation: the persona, or a variant of it."""
        return self.variants.get(spec.agent) or self.personas[spec.persona]

    @property
    def everybody(self) -> Mapping[str, Persona]:
        """The personas by id, and their variants by the agent's id."""
        return {**self.personas, **self.variants}

    @cached_property
    def fingerprint(self) -> str:
        """Canonical JSON of all that the transcripts follow from on the study's side."""
        study = models_by_effect(self.study.model_dump(mode="json", exclude=set(_WITHOUT_EFFECT)))
        if self.study.training is not None:
            study["training"] = models_by_effect(self.study.training.as_hashed())
        study["personas"] = {
            id: persona.model_dump(mode="json", exclude=persona.unsaid) for id, persona in self.personas.items()
        }
        if self.variants:
            study["variants"] = {
                id: each.model_dump(mode="json", include=set(VARIED)) for id, each in self.variants.items()
            }
        study.pop("adapters")  # where they lie says nothing; what they are is among a run's inputs
        study["seeds"] = study.pop("replicates")  # as journals and hashes have always called it
        study["patterns"] = [
            each if isinstance(each, str) else each.model_dump(mode="json", exclude=each.unsaid)
            for each in self.study.patterns
        ]
        for own in ("tasks", "patterns"):  # so that studies from before these keep their hash
            if not study[own]:
                study.pop(own)
        if study["raters"] == ["linear"]:  # so that studies from before 'raters' keep their hash
            study.pop("raters")
        if study["feeler"] == _BEFORE["feeler"]:
            study.pop("feeler")
        if self.study.holding == ASSUMED:  # nor does 'holding' change the hash of older studies
            study.pop("holding")
        return json.dumps(study, sort_keys=True, ensure_ascii=False)

    @property
    def sha256(self) -> str:
        return sha256(self.fingerprint)


def resolve(study: StudyConfig) -> Plan:
    """Choose the personas, split them where the study trains, and list the episodes.

    Order: round, length, replicate, simulator, persona, candidate, so that all candidates of a study move forward
    together.

    Raises:
        InputError: no persona is left, or too few to train on some and test on others; or a pattern that is expected
            there is not on the scale of the first rater, where that is known before it is opened.
    """
    world = study.world
    chosen = _choose(study, world)
    split = None
    if study.training is not None:
        split = split_personas(chosen, study.training.split_seed, study.training.held_out_per_task)
        chosen = split.test
    tested = {persona.id: persona for persona in _draw(chosen, study)}
    people, population = tested, None
    agents = [("", persona) for persona in tested.values()]
    if study.population is not None:
        from holdfast.personas.population import build_population  # brings networkx

        population = build_population(study.population, derive_seed(study.seed, "population"), tested)
        agents = [(agent.id, agent.persona) for agent in population.agents.values()]
        tested = {persona.id: persona for _, persona in agents}
    variants: dict[str, Persona] = {}
    if study.personas.vary is not None:  # after the split: nobody who is tested was trained on as another variant
        for persona in tested.values():
            variants |= variants_of(persona, study.personas.vary)
        agents = list(variants.items())
    if (scale := study.raters[0].known_scale) is not None:
        expected = {world.pattern_of(persona.task).id: world.pattern_of(persona.task) for persona in tested.values()}
        require_targets(study.raters[0].label, scale, expected.values())
    episodes = tuple(_episodes(study, agents))
    return Plan(study, tested, split, population, episodes, world.tasks, world.patterns, people, variants)


def _choose(study: StudyConfig, world: World) -> tuple[Persona, ...]:
    choice = study.personas
    named = tuple(library()[id] for id in choice.ids)
    own = own_personas(choice.files, world.tasks)
    everyone = named + own if choice.ids or choice.files else tuple(library().values())
    if twice := repeated(persona.id for persona in everyone):
        raise InputError(f"personas given twice: {', '.join(twice)}; rename one of each, or name it once")
    chosen = tuple(persona for persona in everyone if not choice.tasks or persona.task in choice.tasks)
    if not chosen:
        raise InputError(f"no persona has a task of {', '.join(choice.tasks)}; see holdfast persona list")
    return tuple(sorted(chosen, key=lambda persona: persona.id))


def _draw(personas: tuple[Persona, ...], study: StudyConfig) -> Iterator[Persona]:
    """At most ``per_task`` personas of each task. Who is drawn depends on the seed, the task and its own personas."""
    limit = study.personas.per_task
    for persona in personas:
        peers = [peer for peer in personas if peer.task == persona.task]
        peers.sort(key=lambda peer: derive_seed(study.seed, "draw", peer.task, peer.id))
        if limit is None or persona in peers[:limit]:
            yield persona


def _episodes(study: StudyConfig, agents: Sequence[tuple[str, Persona]]) -> Iterator[EpisodeSpec]:
    simulators = ["" if users.name == EMBEDDED else users.name for users in study.users]
    replicates = range(1, study.replicates + 1)
    crossed = product(range(study.rounds), study.all_lengths, replicates, simulators, agents, study.candidate_names)
    for round, turns, replicate, simulator, (agent, persona), candidate in crossed:
        yield EpisodeSpec(persona.id, persona.task, candidate, replicate, turns, round, agent, simulator)


def models_by_effect(value: Any) -> Any:
    """Return ``value`` with every ``model`` in it by what it says, not by how it is reached."""
    if isinstance(value, dict):
        return {key: effect(item) if key == "model" else models_by_effect(item) for key, item in value.items()}
    return [models_by_effect(item) for item in value] if isinstance(value, list) else value


def world_inputs(plan: Plan) -> dict[str, str]:
    """Return hashes of what the people's words follow from besides their personas: tasks, patterns, phrases."""
    kinds: Mapping[str, Mapping[str, TaskContext | EmpathyPattern]] = {"tasks": plan.tasks, "patterns": plan.patterns}
    unsaid = {"examples"}  # a prompt that shows them is hashed with them
    texts = {
        kind: "".join(each[id].model_dump_json(exclude=unsaid | _unsaid(each[id])) for id in sorted(each))
        for kind, each in kinds.items()
    }
    hashes = {kind: sha256(text) for kind, text in texts.items()}
    spoken = sorted({persona.language for persona in plan.personas.values()} - {"en"})
    others = {f"phrases {language}": sha256(phrases_text(language)) for language in spoken}
    return hashes | {"phrases": sha256(phrases_text())} | others


def _unsaid(each: TaskContext | EmpathyPattern) -> set[str]:
    return each.unsaid if isinstance(each, EmpathyPattern) else set()


def differences(old: str, new: str) -> list[str]:
    """What differs between two fingerprints, one line each: ``turns: was 24, now 12``."""
    both = [json.loads(text) for text in (old, new)]
    lacking = {key: value for key, value in _BEFORE.items() if any(key in study for study in both)}
    before, after = (dict(_flat(lacking | study)) for study in both)
    return [
        f"{'replicates' if key == 'seeds' else key}: was {_shown(before, key)}, now {_shown(after, key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) or (key in before) != (key in after)
    ]


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with their dotted keys; an empty list or mapping is a leaf."""
    inside = value if isinstance(value, dict) else dict(enumerate(value, 1)) if isinstance(value, list) else {}
    for name, item in inside.items():
        yield from _flat(item, f"{key}.{name}" if key else str(name))
    if not inside:
        yield key, value


def _shown(leaves: Mapping[str, Any], key: str) -> str:
    return shorten(json.dumps(leaves[key], ensure_ascii=False)) if key in leaves else "absent"
