"""Words in YAML -> candidates. Never import paths: a study can only name what stands here.

A candidate of one's own joins by ``register("my_word", MySpec, my_builder)`` before the study is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from holdfast.agents.assistants import Adapter, BareModel, DescribedCandidate, Oracle, Routed, Router, SystemPrompt
from holdfast.agents.assistants import specs as s
from holdfast.agents.assistants.prompting import SystemPrompts, own_prompt, pattern_prompts
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import ChatModel, Sampling
from holdfast.core.errors import InputError
from holdfast.personas.schema import EmpathyPattern, TaskContext
from holdfast.core.wording import did_you_mean


@dataclass(frozen=True, slots=True)
class CandidateResources:
    """What builders may draw on. ``models`` maps what a study says of a model to the loaded model."""

    models: Mapping[ModelSpec, ChatModel]
    default_model: ModelSpec
    tasks: Mapping[str, TaskContext]
    patterns: Mapping[str, EmpathyPattern]
    router: Router | None = None
    sampling: Sampling = field(default_factory=Sampling)

    def model(self, spec: s.CandidateSpec) -> ChatModel:
        return self.models[spec.model or self.default_model]

    def sampling_for(self, spec: s.CandidateSpec) -> Sampling:
        return self.sampling if spec.sampling is None else spec.sampling.sampling()

    def prompts(self, spec: s.PromptedSpec) -> SystemPrompts:
        if spec.prompt is not None:
            return own_prompt(spec.prompt)
        known(spec.pattern, self.patterns, f"candidate {spec.name!r} names the pattern")
        return pattern_prompts(self.patterns, spec.pattern)

    def experts(self, spec: s.ExpertsSpec) -> dict[str, str]:
        for pattern in spec.experts:
            known(pattern, self.patterns, f"candidate {spec.name!r} gives an expert for the pattern")
        return {task.id: spec.experts.get(task.pattern, task.pattern) for task in self.tasks.values()}


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


def build(spec: s.CandidateSpec, workshop: CandidateResources) -> DescribedCandidate:
    """The candidate that ``spec`` asks for."""
    return _KINDS[spec.kind][1](spec, workshop)


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
    PlainValidator(parse, json_schema_input_type=s.ShippedSpec),
    PlainSerializer(lambda spec: spec.model_dump(mode="json", exclude_none=True)),
]
"""The type for a field of a study's model: reads words and mappings, writes mappings."""


def _base(spec: s.BaseSpec, shop: CandidateResources) -> BareModel:
    return BareModel(shop.model(spec), spec.name, shop.sampling_for(spec))


def _system_prompt(spec: s.SystemPromptSpec, shop: CandidateResources) -> SystemPrompt:
    return SystemPrompt(shop.model(spec), shop.prompts(spec), spec.name, sampling=shop.sampling_for(spec))


def _reminder(spec: s.ReminderSpec, shop: CandidateResources) -> SystemPrompt:
    model, prompts = shop.model(spec), shop.prompts(spec)
    return SystemPrompt(model, prompts, spec.name, spec.every, spec.where, shop.sampling_for(spec))


def _adapter(spec: s.AdapterSpec, shop: CandidateResources) -> Adapter:
    prompts = shop.prompts(spec) if spec.prompted else None
    return Adapter(shop.model(spec), spec.adapter, spec.name, prompts, shop.sampling_for(spec))


def _routed(spec: s.RoutedSpec, shop: CandidateResources) -> Routed:
    if shop.router is None:
        raise InputError(f"candidate {spec.name!r} needs a router; train one first (holdfast train) or use 'oracle'")
    return Routed(shop.model(spec), shop.router, shop.experts(spec), spec.name, shop.sampling_for(spec))


def _oracle(spec: s.OracleSpec, shop: CandidateResources) -> Oracle:
    return Oracle(shop.model(spec), shop.experts(spec), spec.name, shop.sampling_for(spec))


register("base", s.BaseSpec, _base)
register("system_prompt", s.SystemPromptSpec, _system_prompt)
register("system_prompt_with_reminder", s.ReminderSpec, _reminder)
register("adapter", s.AdapterSpec, _adapter)
register("routed", s.RoutedSpec, _routed)
register("oracle", s.OracleSpec, _oracle)
