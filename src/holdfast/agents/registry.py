"""Words in YAML -> candidates. Never import paths: a study can only name what stands here.

A candidate of one's own joins by ``register("my_word", MySpec, my_builder)`` before the study is read.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol

from holdfast.agents.assistants import Adapter, BareModel, DescribedCandidate, Oracle, Routed, Router, SystemPrompt
from holdfast.agents.assistants import specs as s
from holdfast.agents.assistants.prompting import SystemPrompts, own_prompt, pattern_prompts
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import ChatModel, Sampling
from holdfast.agents.registered_kinds import RegisteredKinds
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean
from holdfast.personas.schema import EmpathyPattern, TaskContext


class CandidateResources(Protocol):
    """What builders draw on; a study's :class:`holdfast.simulator.runtime.resources.Resources` are one."""

    @property
    def tasks(self) -> Mapping[str, TaskContext]: ...

    @property
    def patterns(self) -> Mapping[str, EmpathyPattern]: ...

    @property
    def router(self) -> Router | None: ...

    @property
    def sampling(self) -> Sampling: ...

    def model(self, spec: ModelSpec | None) -> ChatModel:
        """The loaded model that ``spec`` names; the study's where None."""
        ...


Builder = Callable[[Any, CandidateResources], DescribedCandidate]
_KINDS: dict[str, tuple[type[s.CandidateSpec], Builder]] = {}


def register(word: str, spec: type[s.CandidateSpec], build: Builder) -> None:
    """Let YAML say ``word``. A ValueError where the word is taken."""
    if word in _KINDS:
        raise ValueError(f"the candidate kind {word!r} is already registered")
    _KINDS[word] = (spec, build)


def kinds() -> tuple[str, ...]:
    """The words that YAML may say, in the order of registration."""
    return tuple(_KINDS)


def untrained() -> tuple[str, ...]:
    """The words of the kinds that need no trained adapter."""
    return tuple(word for word, (spec, _) in _KINDS.items() if not spec.trained)


def build_candidate(spec: s.CandidateSpec, resources: CandidateResources) -> DescribedCandidate:
    """The candidate that ``spec`` asks for."""
    return _KINDS[spec.kind][1](spec, resources)


def parse(value: object) -> s.CandidateSpec:
    """A spec from what YAML holds: a word (``base``) or a mapping with ``kind``. A ValueError says what is allowed."""
    if isinstance(value, s.CandidateSpec):
        return value
    data = {"kind": value} if isinstance(value, str) else value
    if not isinstance(data, dict):
        raise ValueError(f"a candidate is a word or a mapping with 'kind', got {type(value).__name__}")
    kind = data.get("kind")
    if kind is None:
        raise ValueError(f"a candidate needs a 'kind'; allowed: {', '.join(kinds())}")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(unknown("candidate kind", str(kind), kinds()))
    return _KINDS[kind][0].model_validate_json(json.dumps(data), strict=True)


def unknown(what: str, got: str, allowed: tuple[str, ...]) -> str:
    """The sentence for a word that is not known, with the nearest one that is."""
    return f"unknown {what} {got!r}{did_you_mean(got, allowed)} (allowed: {', '.join(allowed)})"


def known(word: str | None, among: Mapping[str, object], what: str) -> None:
    """An InputError where ``word`` is given and not ``among`` the known."""
    if word is not None and word not in among:
        raise InputError(unknown(f"name: {what}", word, tuple(among)))


AnyCandidateSpec = Annotated[
    s.CandidateSpec,
    RegisteredKinds(lambda: _KINDS, parse, lambda spec: spec.model_dump(mode="json", exclude_none=True)),
]
"""The type for a field of a study's model: reads words and mappings, writes mappings."""


def _sampling(spec: s.CandidateSpec, resources: CandidateResources) -> Sampling:
    return resources.sampling if spec.sampling is None else spec.sampling.sampling()


def _prompts(spec: s.PromptedSpec, resources: CandidateResources) -> SystemPrompts:
    if spec.prompt is not None:
        return own_prompt(spec.prompt)
    known(spec.pattern, resources.patterns, f"candidate {spec.name!r} names the pattern")
    return pattern_prompts(resources.patterns, spec.pattern)


def _experts(spec: s.ExpertsSpec, resources: CandidateResources) -> dict[str, str]:
    for pattern in spec.experts:
        known(pattern, resources.patterns, f"candidate {spec.name!r} gives an expert for the pattern")
    return spec.by_task(resources.tasks.values())


def _base(spec: s.BaseSpec, resources: CandidateResources) -> BareModel:
    return BareModel(resources.model(spec.model), spec.name, _sampling(spec, resources))


def _system_prompt(spec: s.SystemPromptSpec, resources: CandidateResources) -> SystemPrompt:
    model, prompts = resources.model(spec.model), _prompts(spec, resources)
    return SystemPrompt(model, prompts, spec.name, sampling=_sampling(spec, resources))


def _reminder(spec: s.ReminderSpec, resources: CandidateResources) -> SystemPrompt:
    model, prompts = resources.model(spec.model), _prompts(spec, resources)
    return SystemPrompt(model, prompts, spec.name, spec.every, spec.where, _sampling(spec, resources))


def _adapter(spec: s.AdapterSpec, resources: CandidateResources) -> Adapter:
    prompts = _prompts(spec, resources) if spec.prompted else None
    return Adapter(resources.model(spec.model), spec.adapter, spec.name, prompts, _sampling(spec, resources))


def _routed(spec: s.RoutedSpec, resources: CandidateResources) -> Routed:
    router, experts = resources.router, _experts(spec, resources)
    if router is None:
        raise InputError(f"candidate {spec.name!r} needs a router; train one first (holdfast train) or use 'oracle'")
    return Routed(resources.model(spec.model), router, experts, spec.name, _sampling(spec, resources))


def _oracle(spec: s.OracleSpec, resources: CandidateResources) -> Oracle:
    experts = _experts(spec, resources)
    return Oracle(resources.model(spec.model), experts, spec.name, _sampling(spec, resources))


register("base", s.BaseSpec, _base)
register("system_prompt", s.SystemPromptSpec, _system_prompt)
register("system_prompt_with_reminder", s.ReminderSpec, _reminder)
register("adapter", s.AdapterSpec, _adapter)
register("routed", s.RoutedSpec, _routed)
register("oracle", s.OracleSpec, _oracle)
