"""A study of one conversation: a persona and a candidate, of a study, of a run with its adapters, or of a model."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.agents import registry
from holdfast.agents.models.spec import parse_model
from holdfast.core.errors import InputError
from holdfast.core.files import is_folder
from holdfast.core.wording import did_you_mean, quote
from holdfast.personas.loading import library, named_persona
from holdfast.personas.world import World
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import STUDY_FILE, load_study
from holdfast.simulator.runtime.adapters import adapters_in, check_adapters, trained_in
from holdfast.simulator.runtime.prompt_rehearsal import rehearse_prompts
from holdfast.simulator.runtime.resources import open_resources
from holdfast.simulator.runtime.session import Session, session_of


@dataclass(frozen=True)
class OneTalk:
    """Who talks with whom.

    Attributes:
        source: A study's file, or a run's folder, whose adapters speak too; None: only what stands here.
        model: A model's reference, in the place of the source's.
        candidate: A candidate of the source by its name, or a kind; None: base, or the source's first without one.
        prompt_file: A system prompt of one's own.
        persona: An id of the library or of the source, or a file; None: the first of the source.
        settings: What the study has besides, as its YAML has it.
    """

    source: Path | None
    model: str | None
    candidate: str | None
    prompt_file: Path | None
    persona: str | None
    settings: Mapping[str, Any]

    def study(self, world: World) -> StudyConfig:
        """Return the study of the one conversation.

        Raises:
            InputError: The source cannot be read, or has no such candidate or persona.
        """
        base = self._base()
        trained = None if self.source is None else trained_in(self.source)
        adapters = base.adapters or (str(trained) if trained is not None and is_folder(trained) else None)
        values: dict[str, Any] = {"adapters": adapters, "training": None, **self.settings}
        values |= {"tasks": (*base.tasks, *world.own_tasks), "patterns": (*base.patterns, *world.own_patterns)}
        values |= {"candidates": (self._candidate(base),), "baseline": None, "replicates": 1, "lengths": ()}
        values |= {"population": None, "rounds": 1, "batch_size": 1}
        if self.model is not None:
            try:
                values["model"] = parse_model(self.model)
            except ValueError as error:
                raise InputError(f"--model: {error}") from None
        if self.persona is not None:
            known = {**base.world.tasks, **world.tasks}
            persona = named_persona(self.persona, base.personas.files, known)
            shipped = library().get(persona.id) == persona
            values["personas"] = {"ids": (persona.id,)} if shipped else {"files": (persona,)}
        elif self.source is None:
            values["personas"] = {"ids": (next(iter(library())),)}
        try:
            return StudyConfig.model_validate({**base.model_dump(exclude=set(values)), **values})
        except ValidationError as error:
            raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    def plan(self, world: World) -> Plan:
        """Return the plan of the one conversation; nothing is loaded. Raises InputError as :meth:`study` does."""
        plan = resolve(self.study(world))
        check_adapters(plan)
        return plan

    @staticmethod
    async def open(plan: Plan) -> Session:
        """Load the models and adapters of the conversation.

        Raises:
            InputError, ModelError: A model or an adapter cannot be loaded, or a prompt would not arrive.
        """
        resources = await asyncio.to_thread(open_resources, plan)
        await rehearse_prompts(plan, resources.references)
        ready = await resources.with_adapters(*adapters_in(plan.study.adapters, plan))
        return session_of(ready.with_exchanges(plan.study.adapters))

    def _base(self) -> StudyConfig:
        if self.source is None:
            return StudyConfig.model_validate({"candidates": ["base"]})
        path = self.source / STUDY_FILE if is_folder(self.source) else self.source
        return load_study(path)

    def _candidate(self, base: StudyConfig) -> Any:
        """Return the candidate that is meant: of the source by its name, else a kind."""
        own = base.candidates if self.source is not None else ()
        names = [spec.name for spec in own]
        first = "base" if not own or "base" in names or self.prompt_file is not None else names[0]
        name = self.candidate or first
        for spec in own:
            if spec.name == name and self.prompt_file is None:
                return spec
        kinds = registry.kinds()
        if name not in kinds:
            names = [*dict.fromkeys((*(base.candidate_names if self.source is not None else ()), *kinds))]
            raise InputError(f"no candidate {quote(name)}{did_you_mean(name, names)} (there are: {', '.join(names)})")
        data: dict[str, Any] = {"kind": name}
        if self.prompt_file is not None:
            kind = "system_prompt" if name == "base" else name
            data = {"kind": kind, "prompt_file": str(self.prompt_file.absolute())}
        try:
            return registry.parse(data).beside(Path())
        except ValidationError as error:
            lacks = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise InputError(
                f"candidate {quote(name)} takes more than its kind ({lacks}); write it into a study, and name that"
            ) from None
        except ValueError as error:
            raise InputError(f"candidate {quote(name)}: {error}") from None
