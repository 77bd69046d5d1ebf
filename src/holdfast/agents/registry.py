"""Words in YAML -> candidates. Never import paths: a study can only name what stands here.

A candidate of one's own joins by ``register("my_word", MySpec, my_builder)`` before the study is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from holdfast.agents.assistants import specs as s
from holdfast.agents.assistants.app import App, AppSpec, Function, FunctionSource, app_over_http
from holdfast.agents.assistants.best_of import BestOf, BestOfSpec
from holdfast.agents.assistants.candidates import (
    DescribedCandidate,
    Experts,
    Router,
    SingleModel,
    SystemPrompts,
    own_prompt,
    pattern_prompts,
)
from holdfast.agents.assistants.exemplars import Exemplars, ExemplarsSpec
from holdfast.agents.assistants.reflect import Reflect, ReflectSpec
from holdfast.agents.assistants.wanted import WantedPattern, WantingSpec
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.plugins import register_all
from holdfast.agents.prompts import example_turns
from holdfast.agents.protocols import ChatModel, Message, Sampling
from holdfast.agents.raters.protocol import Rater
from holdfast.agents.raters.specs import RaterSpec
from holdfast.agents.registered_kinds import RegisteredKinds
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, how_many
from holdfast.personas.schema import EmpathyPattern, TaskContext

if TYPE_CHECKING:
    from holdfast.agents.assistants.exchange_store import StoredExchange


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

    @property
    def tested(self) -> Collection[str]:
        """Ids and names of the people that candidates are tested on."""
        ...

    @property
    def exchanges(self) -> Sequence[StoredExchange]:
        """What the study's training dialogues hold; empty where there are none."""
        ...

    def rater(self, spec: RaterSpec) -> Rater:
        """The opened rater, behind the gate, that ``spec`` names."""
        ...

    def model(self, spec: ModelSpec | None) -> ChatModel:
        """The loaded model that ``spec`` names; the study's where None."""
        ...

    def bears(self, spec: ModelSpec | None, messages: Sequence[Message]) -> bool:
        """Whether all of ``messages`` would reach that model through its chat template, as far as one can know."""
        ...


_KINDS: RegisteredKinds[s.CandidateSpec, CandidateResources, DescribedCandidate] = RegisteredKinds(
    "candidate",
    s.CandidateSpec,
    mapping_of=lambda word: {"kind": word},
    written=lambda spec: spec.model_dump(mode="json", exclude_none=True),
)
register, parse = _KINDS.register, _KINDS.parse

AnyCandidateSpec = Annotated[s.CandidateSpec, _KINDS]
"""The type for a field of a study's model: reads words and mappings, writes mappings."""


def kinds() -> tuple[str, ...]:
    """The words that YAML may say, in the order of registration."""
    _KINDS.load_more()
    return tuple(_KINDS.entries)


def build_candidate(spec: s.CandidateSpec, resources: CandidateResources) -> DescribedCandidate:
    """The candidate that ``spec`` asks for."""
    return _KINDS.entries[spec.kind][1](spec, resources)


def known(word: str | None, among: Mapping[str, object], what: str) -> None:
    """An InputError where ``word`` is given and not ``among`` the known."""
    if word is not None and word not in among:
        hint, allowed = did_you_mean(word, among), ", ".join(among)
        raise InputError(f"unknown name: {what} {word!r}{hint} (allowed: {allowed})")


def _sampling(spec: s.CandidateSpec, resources: CandidateResources) -> Sampling:
    return resources.sampling if spec.sampling is None else spec.sampling.sampling()


def _prompts(spec: s.PromptedSpec, resources: CandidateResources) -> SystemPrompts:
    if spec.prompt_file is not None:
        raise InputError(f"candidate {spec.name!r}: prompt_file is read with the study's file; give its text as prompt")
    if spec.prompt is not None:
        return own_prompt(spec.prompt)
    known(spec.pattern, resources.patterns, f"candidate {spec.name!r} names the pattern")
    return pattern_prompts(resources.patterns, spec.pattern)


def _experts(spec: s.ExpertsSpec, resources: CandidateResources) -> dict[str, str]:
    for pattern in spec.experts:
        known(pattern, resources.patterns, f"candidate {spec.name!r} gives an expert for the pattern")
    return spec.by_task(resources.tasks.values())


def _base(spec: s.CandidateSpec, resources: CandidateResources, **more: Any) -> SingleModel:
    return SingleModel(resources.model(spec.model), spec.name, _sampling(spec, resources), **more)


def _system_prompt(spec: s.SystemPromptSpec, resources: CandidateResources) -> SingleModel:
    prompts = _with_examples(spec, resources) if spec.examples else _prompts(spec, resources)
    return _base(spec, resources, prompts=prompts)


def _with_examples(spec: s.SystemPromptSpec, resources: CandidateResources) -> SystemPrompts:
    """Write the prompts with examples, as turns where the model's chat template bears them before a conversation."""
    known(spec.pattern, resources.patterns, f"candidate {spec.name!r} names the pattern")
    wanted = {task.pattern for task in resources.tasks.values()} if spec.pattern is None else {spec.pattern}
    lacking = sorted(name for name in wanted if not resources.patterns[name].examples)
    if lacking:
        raise InputError(
            f"candidate {spec.name!r}: the pattern {', '.join(lacking)} has no examples to show; write some into it "
            "(examples: [{user: …, reply: …}]), or leave 'examples' out"
        )
    shown = example_turns(resources.patterns[min(wanted)].examples)
    tried = (Message("system", "S"), *shown, Message("user", "U"))
    return pattern_prompts(
        resources.patterns, spec.pattern, "turns" if resources.bears(spec.model, tried) else "system"
    )


def _reminder(spec: s.ReminderSpec, resources: CandidateResources) -> SingleModel:
    return _base(spec, resources, prompts=_prompts(spec, resources), remind_every=spec.every, where=spec.where)


def _adapter(spec: s.AdapterSpec, resources: CandidateResources) -> SingleModel:
    prompts = _prompts(spec, resources) if spec.prompted else None
    return _base(spec, resources, prompts=prompts, adapter=spec.adapter)


def _oracle(spec: s.ExpertsSpec, resources: CandidateResources, router: Router | None = None) -> Experts:
    experts = _experts(spec, resources)
    return Experts(resources.model(spec.model), spec.name, experts, router, _sampling(spec, resources))


def _routed(spec: s.RoutedSpec, resources: CandidateResources) -> Experts:
    if resources.router is None:
        raise InputError(f"candidate {spec.name!r} needs a router; train one first (holdfast train) or use 'oracle'")
    return _oracle(spec, resources, resources.router)


def _wanted(spec: WantingSpec, resources: CandidateResources, *, prompted: bool) -> WantedPattern:
    known(spec.pattern, resources.patterns, f"candidate {spec.name!r} names the pattern")
    if spec.recognise and resources.router is None:
        raise InputError(
            f"candidate {spec.name!r} recognises the task by a router; train one first (holdfast train), or leave out "
            "'recognise'"
        )
    of_task = {task.id: task.pattern for task in resources.tasks.values()}
    router = resources.router if spec.recognise else None
    return WantedPattern(resources.patterns, of_task, spec.pattern, router, prompted)


def _best_of(spec: BestOfSpec, resources: CandidateResources) -> BestOf:
    rater, wanted = resources.rater(spec.rater), _wanted(spec, resources, prompted=spec.with_prompt)
    return BestOf(resources.model(spec.model), spec.name, rater, wanted, spec.n, _sampling(spec, resources))


def _exemplars(spec: ExemplarsSpec, resources: CandidateResources) -> Exemplars:
    from holdfast.agents.assistants.exchange_store import ExchangeStore, read_exchanges, without_people  # brings numpy

    source = "the training dialogues" if spec.file is None else spec.file
    given = resources.exchanges if spec.file is None else read_exchanges(Path(spec.file))
    kept = without_people(given, resources.tested)
    if not kept:
        why = "all are of people that are tested" if given else "there are none"
        raise InputError(
            f"candidate {spec.name!r}: no exchange of {source} may be shown ({why}); name others with 'file: …', or "
            "add a 'training' section"
        )
    if len(kept) < len(given):
        left_out = how_many(len(given) - len(kept), "exchange")
        warnings.warn(f"candidate {spec.name!r}: {left_out} of {source} left out, of people tested", stacklevel=2)
    store, wanted = ExchangeStore(kept, spec.encoder), _wanted(spec, resources, prompted=spec.with_prompt)
    model, sampling = resources.model(spec.model), _sampling(spec, resources)
    return Exemplars(model, spec.name, store, wanted, spec.k, spec.show, sampling)


def _reflect(spec: ReflectSpec, resources: CandidateResources) -> Reflect:
    wanted = _wanted(spec, resources, prompted=True) if spec.prompted else None
    model, sampling = resources.model(spec.model), _sampling(spec, resources)
    return Reflect(model, spec.name, wanted, spec.chunks, spec.reflection_tokens, sampling)


register("base", s.BaseSpec, _base)
register("system_prompt", s.SystemPromptSpec, _system_prompt)
register("system_prompt_with_reminder", s.ReminderSpec, _reminder)
register("adapter", s.AdapterSpec, _adapter)
register("routed", s.RoutedSpec, _routed)
register("oracle", s.OracleSpec, _oracle)
register("exemplars", ExemplarsSpec, _exemplars)
register("reflect", ReflectSpec, _reflect)
register("best_of", BestOfSpec, _best_of)
register("app", AppSpec, lambda spec, _resources: app_over_http(spec))


def register_function(word: str, function: Function) -> None:
    """Let YAML say ``word`` for a candidate that is a Python function: see :mod:`holdfast.agents.assistants.app`.

    Raises:
        ValueError: the word is taken.
    """
    spec = type("FunctionSpec", (s.CandidateSpec,), {"__annotations__": {"kind": Literal[word]}, "kind": word})
    register(word, spec, lambda given, _resources: App(given.name, FunctionSource(function)))


def take_plugin(word: str, brought: Any) -> None:
    """Register what another package brings: a function, or an object with ``spec`` and ``build``.

    Raises:
        TypeError: It is neither.
    """
    if hasattr(brought, "spec") and hasattr(brought, "build"):
        register(word, brought.spec, brought.build)
    elif callable(brought):
        register_function(word, brought)
    else:
        raise TypeError(
            f"a candidate is a function, or an object with 'spec' and 'build', not {type(brought).__name__}"
        )


_KINDS.more = lambda: register_all("holdfast.candidates", take_plugin)
