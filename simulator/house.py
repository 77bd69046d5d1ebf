"""The models, adapters, router, rater and users that a study needs, loaded and checked once.

What stands here has side effects and is heavy (torch); a study's plan and its measurement are neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.experts import ADAPTERS, ROUTER, Base
from adapters.micro import base_path
from adapters.routing import WordRouter
from adapters.store import AdapterStore, weights_sha256
from agents import registry
from agents.models.references import ModelReference, resolve
from agents.raters.linear import LinearRater
from agents.users.embedded import EmbeddedUser
from personas.errors import InputError
from personas.schema import Persona
from simulator.engine.run import Troupe
from simulator.place import HERE, Adaptable, Place
from simulator.plan import Plan
from simulator.study import StudyConfig


@dataclass(frozen=True)
class House:
    """What a study's conversations are held with. ``models`` by reference; ``place``: where all of it is."""

    models: Mapping[str, Adaptable]
    references: Mapping[str, ModelReference]
    default: str
    rater: LinearRater
    place: Place = HERE

    @property
    def base(self) -> Base:
        """The study's model, as training takes it. Its files call it by a name, never by this machine's path."""
        path = self.references[self.default].path
        name = "holdfast-micro" if self.default == "micro" else path.name
        return Base(self.models[self.default], path, name)

    def inputs(self, experts: Mapping[str, Path]) -> dict[str, str]:
        """Hashes of what the transcripts follow from besides the study: models, adapters, the rater."""
        hashes = {f"model {word}": weights_sha256(reference.path) for word, reference in self.references.items()}
        hashes |= {f"adapter {name}": weights_sha256(path) for name, path in experts.items()}
        return {**hashes, f"rater {self.rater.id}": self.rater.version}

    def add_experts(self, experts: Mapping[str, Path]) -> None:
        """Let the study's model speak through these adapters; each is checked against the base first."""
        model = self.models[self.default]
        for name, path in experts.items():
            AdapterStore(path.parent).check(name, self.references[self.default].path)
            if name not in model.adapters:
                model.add_adapter(name, path)

    def troupe(self, plan: Plan, router: WordRouter | None) -> Troupe:
        """Everyone who can be cast."""
        workshop = registry.Workshop(
            models=self.models,
            default_model=self.default,
            tasks=plan.tasks,
            patterns=plan.patterns,
            router=router,
            sampling=plan.study.sampling.sampling(),
        )
        candidates = {spec.name: registry.build(spec, workshop) for spec in plan.study.candidates}
        return Troupe(candidates=candidates, user_for=user_for, rater=self.rater, hold=self.place.hold)


def user_for(persona: Persona) -> EmbeddedUser:
    """The user agent that plays a persona."""
    return EmbeddedUser(persona)


def open_house(study: StudyConfig, place: Place = HERE) -> House:
    """Load every model that the study names, at ``place``.

    Raises:
        InputError: an unknown model reference.
        ModelError: a model cannot be loaded.
    """
    words = dict.fromkeys([study.model, *(spec.model for spec in study.candidates if spec.model)])
    references = {word: resolve(word, base_path()) for word in words}
    models = {word: place.load(reference, study.batch_size) for word, reference in references.items()}
    return House(models, references, study.model, LinearRater(), place)


def experts_in(folder: Path) -> tuple[dict[str, Path], WordRouter | None]:
    """The adapters below ``folder``, and the router beside them where there is one."""
    router = folder / Path(ROUTER).name
    return AdapterStore(folder).paths(), WordRouter.load(router) if router.exists() else None


def trained_in(out: Path) -> Path:
    """Where a run folder keeps the adapters that it trained."""
    return out / ADAPTERS


def need_experts(study: StudyConfig, experts: Mapping[str, Path]) -> None:
    """An InputError that says what to do, where a candidate speaks through adapters and there are none."""
    wanting = [spec.name for spec in study.candidates if spec.kind in ("adapter", "routed", "oracle")]
    if wanting and not experts:
        raise InputError(
            f"candidates {', '.join(wanting)} speak through adapters, and the study has none: "
            "add a 'training' section, or 'adapters: FOLDER' of a run that trained some"
        )
