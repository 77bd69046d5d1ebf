"""Words and mappings in YAML or on a command line -> raters. Never import paths: only what stands here can be named.

A rater of one's own joins by ``register("my_word", MySpec, my_builder)`` before the study is read.

==================================== ==================================================================================
word                                 meaning
==================================== ==================================================================================
linear                               the shipped raters
encoder                              the shipped rater of expressed empathy on a frozen encoder (needs its weights)
linear_peers                         the shipped rater of expressed empathy that was fitted on people's labels alone
FOLDER                               a rater that ``holdfast rater fit`` or ``train`` wrote
reward:FOLDER                        a reward model that ``holdfast rater reward`` wrote
openai:NAME, hf:NAME, micro, …       a judge: any chat model, by its reference
==================================== ==================================================================================
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from holdfast.agents.models.reference_syntax import SCHEMES
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.plugins import register_all
from holdfast.agents.protocols import ChatModel
from holdfast.agents.raters import specs as s
from holdfast.agents.raters.protocol import EXPRESSED, FELT, Rater, Scale
from holdfast.agents.registered_kinds import RegisteredKinds
from holdfast.core.errors import InputError
from holdfast.core.files import expanded, is_folder
from holdfast.core.wording import did_you_mean, quote
from holdfast.personas.schema import EmpathyPattern

FORMS = "FOLDER of a fitted rater, reward:DIR, openai:NAME, langchain:PROVIDER:NAME, hf:NAME_OR_PATH, micro"


@dataclass(frozen=True, slots=True)
class RaterResources:
    """What builders draw on: the opened chat ``models`` of judges, and the embedded base model's folder."""

    models: Mapping[ModelSpec, ChatModel]
    micro_path: Path


def mapping_of(word: str) -> dict[str, Any]:
    """Return the mapping that a word is short for. A ValueError says which words there are."""
    scheme, _, rest = word.partition(":")
    folder = expanded(word)
    if word not in _KINDS.entries and scheme not in SCHEMES:
        _KINDS.load_more()
    if word in _KINDS.entries:
        return {"kind": word}
    if scheme in SCHEMES:
        return {"kind": "judge", "model": word}
    if scheme == "reward" and rest.strip():
        return {"kind": "reward", "folder": rest.strip()}
    if is_folder(folder) or ("/" in word and not rest):
        from holdfast.agents.raters.fitted import kind_in  # brings numpy

        return {"kind": kind_in(folder), "folder": word}
    plain = [kind for kind in _KINDS.entries if kind not in ("reward", "judge")]  # need a folder or a model
    hint = did_you_mean(scheme, (*plain, "reward", *SCHEMES))
    raise ValueError(f"unknown rater {quote(word)}{hint} (allowed: {', '.join(plain)}, {FORMS})")


def _written(spec: s.RaterSpec) -> str | dict[str, Any]:
    """As YAML writes it: the word where there is nothing but a kind."""
    data = spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"kind": spec.kind}
    return spec.kind if len(data) == 1 else data


_KINDS: RegisteredKinds[s.RaterSpec, RaterResources, Rater] = RegisteredKinds(
    "rater", s.RaterSpec, mapping_of, _written
)
_KINDS.more = lambda: register_all(
    "holdfast.raters", lambda word, brought: _KINDS.register(word, brought.spec, brought.build)
)
register_rater, parse_rater = _KINDS.register, _KINDS.parse

AnyRaterSpec = Annotated[s.RaterSpec, _KINDS]
"""The type for a field of a study's model: reads words and mappings, writes them back."""


def require_unique(specs: Iterable[s.RaterSpec]) -> None:
    """Raise ValueError where two raters have one name."""
    names = [spec.label for spec in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two raters are named {', '.join(map(quote, twice))}; give each a 'name' of its own")


def require_guide(scales: Mapping[str, str | None]) -> None:
    """Raise InputError unless one of the raters may rate expressed empathy, by which user agents go on.

    ``scales``: by rater's name, the primary one first; None where only its files can say.
    """
    if not any(scale in (None, EXPRESSED.id) for scale in scales.values()):
        name, scale = next(iter(scales.items()))
        raise InputError(
            f"people go on by expressed empathy, which none of the raters rates ({quote(name)} rates {scale}): add one "
            "that does, such as linear, after it"
        )


def require_targets(name: str, scale: Scale, patterns: Iterable[EmpathyPattern]) -> None:
    """Raise InputError for the first of ``patterns`` whose targets are not on the primary rater's ``scale``."""
    for pattern in patterns:
        if fault := target_fault(pattern, scale, name):
            raise InputError(f"pattern {quote(pattern.id)}: {fault[1]}")


def target_fault(pattern: EmpathyPattern, scale: Scale, rater: str) -> tuple[str, str] | None:
    """Return what a pattern has that is not on a rater's scale; None where all is.

    It is the key of the pattern (scale, target, or a dimension of the target), and the fault in words.
    """
    levels = pattern.target.model_dump()
    on = f"{quote(rater)}, which makes the curves, rates {scale.id}: {', '.join(scale.dimensions)}, each from "
    on += f"{scale.low:g} to {scale.high:g}"
    if pattern.scale not in (None, scale.id):
        return "scale", f"its targets are on the scale {pattern.scale}; {on}"
    for name, level in levels.items():
        if name not in scale.dimensions:
            hint = did_you_mean(name, scale.dimensions)
            return name, f"{quote(name)} is no dimension of the first rater{hint}; {on}"
        if not scale.low <= level <= scale.high:
            return name, f"{name}: {level:g} lies outside the scale; {on}"
    if lacking := [name for name in scale.dimensions if name not in levels]:
        return "target", f"no target for {', '.join(lacking)}; {on}"
    return None


def build(specs: Collection[s.RaterSpec], resources: RaterResources) -> dict[str, Rater]:
    """Return the raters by name, in their order, each behind the gate (:mod:`holdfast.agents.raters.gate`).

    No gate stands before a rater of felt empathy: people feel something about a reply that fails, too.

    Raises InputError or ModelError where one cannot be had.
    """
    from holdfast.agents.raters.gate.rater import GatedRater  # brings numpy

    raters = {spec.label: _KINDS.entries[spec.kind][1](spec, resources) for spec in specs}
    felt = {spec.label for spec in specs if spec.scale_id == FELT.id}
    return {name: rater if name in felt else GatedRater(rater) for name, rater in raters.items()}


def open_raters(
    specs: Iterable[s.RaterSpec],
    micro_path: Path,
    batch_size: int = 8,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Rater]:
    """Open the chat models that judges ask, and build the raters; ``progress`` shows what is fetched for it.

    Raises:
        InputError, ModelError: see :func:`build`; or an unknown model, a key that is not set.
    """
    from holdfast.agents.models.opening import no_progress, open_models, references

    specs = tuple(specs)
    wanted = references((model for spec in specs for model in spec.models), micro_path, progress or no_progress)
    return build(specs, RaterResources(open_models(wanted, batch_size=batch_size), micro_path))


def _fitted(spec: s.FittedSpec, resources: RaterResources) -> Rater:
    from holdfast.agents.raters.fitted import open_fitted  # brings numpy

    return open_fitted(spec)


def _reward(spec: s.RewardSpec, resources: RaterResources) -> Rater:
    from holdfast.agents.models.opening import local_reference
    from holdfast.agents.raters.reward import RewardRater  # brings torch

    base = local_reference(spec.base, resources.micro_path).path
    return RewardRater.load(expanded(spec.folder), base)


def _judge(spec: s.JudgeSpec, resources: RaterResources) -> Rater:
    from holdfast.agents.raters.judge.rater import JudgeRater, judge_sampling

    return JudgeRater(
        resources.models[spec.model],
        spec.known_scale or EXPRESSED,
        spec.model.ref,
        described={} if isinstance(spec.scale, str) else spec.scale.dimensions,
        sampling=judge_sampling(spec.samples, spec.temperature, spec.max_tokens),
        **spec.model_dump(include={"samples", "history", "descriptive", "structured", "concurrency"}),
    )


register_rater("linear", s.FittedSpec, _fitted)
register_rater("linear_peers", s.FittedSpec, _fitted)
register_rater("encoder", s.FittedSpec, _fitted)
register_rater("reward", s.RewardSpec, _reward)
register_rater("judge", s.JudgeSpec, _judge)
