"""What a run's coders say: agreement with each rater on these replies, and intervals that rest on their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.agreement import quadratic_weighted_kappa
from holdfast.agents.raters.protocol import EXPRESSED, Scale
from holdfast.core.wording import how_many
from holdfast.simulator.labelling.sample import Reply, stopped_replies
from holdfast.simulator.labelling.store import (
    LABEL_SCALES,
    Label,
    LabelFolder,
    beside_targets,
    combined,
    last_answers,
    on_scale,
)
from holdfast.simulator.measure.arrays import Bools, Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import FEWEST, too_few
from holdfast.simulator.measure.decay.retention import QUARTERS, quarter_of, quarters
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.extract import rating_array
from holdfast.simulator.measure.jackknifed import Jackknifed, contrast, fieller_interval
from holdfast.simulator.measure.labelled_mean import (
    METHODS,
    TRUSTED_FROM,
    LabelledReplies,
    mean_of,
)
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.label_model import (
    ByMethod,
    CoderAgreement,
    LabelledCandidate,
    LabelledDifference,
    RaterError,
    RunLabels,
)
from holdfast.simulator.results.model import RaterInfo

QUARTER_NAMES = ("first", "second", "third", "last")
_Means = Mapping[str, Jackknifed]  # by method


@dataclass(frozen=True, slots=True)
class _Labelled:
    """One candidate's replies, flattened: R = episodes x turns."""

    measured: MeasuredCandidate
    levels: Floats  # (R, D) labels
    inclusion: Floats  # (R,)
    persons: Ints  # (R,)
    count: int
    reached: Bools  # (R,) a reply with text

    @property
    def there(self) -> Bools:
        return ~np.isnan(self.levels[:, 0])

    @property
    def stopped(self) -> Bools:
        """(R,) which the gate stopped, those without text too."""
        return self.measured.arrays.disqualified.ravel()

    def people(self) -> int:
        """How many people have a label."""
        return len(set(self.persons[self.there].tolist()))


def label_results(
    folder: LabelFolder, measured: Mapping[str, MeasuredCandidate], context: ResultsContext
) -> RunLabels | None:
    """Measure a run's labels; None where there is none.

    Raises:
        InputError: They are damaged.
    """
    sample = folder.sample()
    answers = last_answers(folder) if sample is not None else {}
    answers = {coder: given for coder, given in answers.items() if given}
    if sample is None or not answers:
        return None
    scale = LABEL_SCALES[sample.scale]
    stopped = _stopped(measured) if sample.gated else frozenset()
    chance = {each.reply: each.inclusion for each in sample.replies if each.reply not in stopped}
    levels = {reply: values for reply, values in combined(answers.values()).items() if reply in chance}
    persons = {name: code for code, name in enumerate(sorted({g for m in measured.values() for g in m.arrays.groups}))}
    parts = {name: _labelled(each, levels, chance, scale, persons) for name, each in measured.items()}
    notes = list(_few(parts))
    if sample.candidates and (others := [name for name in measured if name not in sample.candidates]):
        notes.append(f"{', '.join(others)}: not among those whose replies were to be labelled; by the rater alone")
    if idle := sum(reply in stopped for reply in set().union(*answers.values())):
        notes.append(f"{how_many(idle, 'labelled reply was', 'labelled replies were')} stopped by the gate: left out")
    apart = beside_targets(scale, context.primary.scale)
    notes += [apart] if apart else []
    return RunLabels(
        scale=sample.scale,
        coders={coder: len(given) for coder, given in answers.items()},
        models=sorted(coder for coder, given in answers.items() if any(label.model for label in given.values())),
        drawn=len(chance),
        labelled=len(levels),
        twice=sum(sum(reply in given for given in answers.values()) > 1 for reply in levels),
        share_labelled=len(levels) / max(1, len(chance)),
        between_coders=list(_between(answers, scale)),
        raters=list(_raters(parts, scale, context)),
        errors=list(_errors(parts, scale, context)),
        candidates={name: _candidate(part, context) for name, part in parts.items()} if not apart else {},
        differences=list(_differences(parts, context)) if not apart else [],
        notes=notes,
    )


def _stopped(measured: Mapping[str, MeasuredCandidate]) -> frozenset[Reply]:
    """What the gate stopped: samples of before held it, and a label of it says nothing of adherence."""
    return stopped_replies(episode for each in measured.values() for episode in each.arrays.episodes)


def _labelled(
    measured: MeasuredCandidate,
    levels: Mapping[Reply, Mapping[str, float]],
    chance: Mapping[Reply, float],
    scale: Scale,
    persons: Mapping[str, int],
) -> _Labelled:
    arrays = measured.arrays
    shape = (len(arrays.episodes), arrays.turns)
    labels, inclusion = np.full((*shape, len(scale.dimensions)), np.nan), np.full(shape, np.nan)
    reached = np.zeros(shape, dtype=np.bool_)
    for row, episode in enumerate(arrays.episodes):
        for turn in episode.turns:
            reply = (episode.spec.id, turn.turn)
            reached[row, turn.turn - 1] = bool(turn.reply.strip())
            if reply in levels:
                labels[row, turn.turn - 1] = [levels[reply][name] for name in scale.dimensions]
                inclusion[row, turn.turn - 1] = chance[reply]
    codes = np.repeat([persons[group] for group in arrays.groups], arrays.turns)
    flat = labels.reshape(-1, len(scale.dimensions))
    return _Labelled(measured, flat, inclusion.ravel(), codes.astype(np.int64), len(persons), reached.ravel())


def _few(parts: Mapping[str, _Labelled]) -> Iterator[str]:
    for name, part in parts.items():
        people = part.people()
        if 0 < people < TRUSTED_FROM:
            yield f"{name}: {how_many(people, 'person')} with labels: too few for limits to be trusted"


def _adherence(part: _Labelled, context: ResultsContext) -> LabelledReplies:
    """Adherence by the primary rater and by the labels, of all that was answered or stopped."""
    labels = part.levels.reshape(*part.measured.arrays.levels.shape)
    by_labels = adherence(labels, part.measured.target, context.primary.scale.width).ravel()
    by_rater = part.measured.adherence.ravel()
    every = LabelledReplies(by_rater, by_labels, part.inclusion, part.persons, part.count, part.stopped, 0.0, 1.0)
    return every.within(part.reached | part.stopped)


def _means(part: _Labelled, context: ResultsContext, where: Bools | None = None, which: str = "") -> _Means:
    """Mean adherence by method, over the replies in ``where`` (episodes x turns): of the quarter ``which``."""
    replies = _adherence(part, context)
    if where is not None:
        replies = replies.within(where.ravel()[part.reached | part.stopped], f"in the {which} quarter")
    return {method: mean_of(replies, method) for method in METHODS}


def _figure(interval: Estimate, people: int, *reasons: str) -> Estimate:
    """The estimate, without limits where it rests on fewer than five people; and why it is as it is."""
    if interval.mean is not None and people < FEWEST:
        return Estimate(mean=interval.mean, lo=None, hi=None, reason=too_few(people))
    return interval.model_copy(update={"reason": "; ".join(dict.fromkeys(filter(None, reasons)))})


def _intervals(means: _Means) -> ByMethod:
    return {method: _figure(mean.interval(), mean.people, mean.reason) for method, mean in means.items()}


def _kept(start: Jackknifed, end: Jackknifed) -> Estimate:
    """Retention: the last quarter over the first."""
    ratio, why = fieller_interval(end, start), [start.reason, end.reason]
    if start.value == 0:
        why.append("the first quarter's adherence is 0")
    elif ratio.mean is not None and not ratio.bounded:
        why.append("the first quarter's adherence is not surely above 0")
    elif not any(why):
        why.append(contrast(end, start).reason.replace("difference", "ratio"))
    return _figure(ratio, min(start.people, end.people), *why)


def _candidate(part: _Labelled, context: ResultsContext) -> LabelledCandidate:
    first, last = quarters(part.measured.arrays.planned, part.measured.arrays.turns)
    start, end = _means(part, context, first, QUARTER_NAMES[0]), _means(part, context, last, QUARTER_NAMES[-1])
    return LabelledCandidate(
        labels=int(part.there.sum()),
        persons=part.people(),
        adherence=_intervals(_means(part, context)),
        quarters=[
            _intervals(_means(part, context, where, which))
            for where, which in zip(_quarter_masks(part.measured), QUARTER_NAMES, strict=True)
        ],
        retention={method: _kept(start[method], end[method]) for method in METHODS},
    )


def _quarter_masks(measured: MeasuredCandidate) -> list[Bools]:
    """(episodes, turns) masks of the four quarters; all turns once."""
    quarter = quarter_of(np.arange(1, measured.arrays.turns + 1)[None, :], measured.arrays.planned[:, None])
    return [quarter == each for each in range(1, QUARTERS + 1)]


def _differences(parts: Mapping[str, _Labelled], context: ResultsContext) -> Iterator[LabelledDifference]:
    last = {name: quarters(part.measured.arrays.planned, part.measured.arrays.turns)[1] for name, part in parts.items()}
    for metric in ("adherence", "adherence_last_quarter"):
        where = last if metric == "adherence_last_quarter" else dict.fromkeys(parts)
        means = {name: _means(part, context, where[name], QUARTER_NAMES[-1]) for name, part in parts.items()}
        for a, b in combinations(parts, 2):
            apart: ByMethod = {method: _apart({name: means[name][method] for name in (a, b)}) for method in METHODS}
            yield LabelledDifference(a=a, b=b, metric=metric, difference=apart)


def _apart(pair: Mapping[str, Jackknifed]) -> Estimate:
    """The first of two candidates less the second."""
    first, second = pair.values()
    apart = first.minus(second)
    why = [*(f"{name}: {mean.reason}" for name, mean in pair.items() if mean.reason), apart.reason]
    return _figure(apart.interval(), apart.people, *why)


def _between(answers: Mapping[str, Mapping[Reply, Label]], scale: Scale) -> Iterator[CoderAgreement]:
    for a, b in combinations(answers, 2):
        shared = sorted(answers[a].keys() & answers[b].keys())
        for name in scale.dimensions if shared else ():
            values = [[answers[coder][reply].levels[name] for reply in shared] for coder in (a, b)]
            kappa = quadratic_weighted_kappa(*values)
            yield CoderAgreement(first=a, second=b, dimension=name, kappa=kappa, n=len(shared))


def _ratings(part: _Labelled, rater: str, dimensions: Sequence[str]) -> Floats:
    """(R, D) of a rater."""
    arrays = part.measured.arrays
    return rating_array(arrays.episodes, arrays.turns, dimensions, rater).reshape(-1, len(dimensions))


def _on_scale(scale: Scale, context: ResultsContext) -> Iterator[RaterInfo]:
    """The raters of what was labelled; of one overall score, who says what was felt."""
    asked = context.raters if scale == EXPRESSED else context.feelers
    yield from (rater for rater in asked if on_scale(rater.scale, scale))


def _raters(parts: Mapping[str, _Labelled], scale: Scale, context: ResultsContext) -> Iterator[CoderAgreement]:
    """Agreement over all candidates together, of each rater on the labels' scale."""
    for rater in _on_scale(scale, context):
        rated = np.concatenate([_ratings(part, rater.name, scale.dimensions) for part in parts.values()])
        labels = np.concatenate([part.levels for part in parts.values()])
        for at, name in enumerate(scale.dimensions):
            both = ~np.isnan(rated[:, at]) & ~np.isnan(labels[:, at])
            kappa = quadratic_weighted_kappa(rated[both, at], labels[both, at])
            yield CoderAgreement(first=rater.name, second="labels", dimension=name, kappa=kappa, n=int(both.sum()))


def _errors(parts: Mapping[str, _Labelled], scale: Scale, context: ResultsContext) -> Iterator[RaterError]:
    for rater in _on_scale(scale, context):
        for at, name in enumerate((*scale.dimensions, "mean")):
            errors = dict[str, Jackknifed]()
            for candidate, part in parts.items():
                apart = _ratings(part, rater.name, scale.dimensions) - part.levels
                error = present_mean(apart, axis=1) if name == "mean" else apart[:, at]
                errors[candidate] = _mean_error(part, error, scale)
            yield RaterError(
                rater=rater.name,
                dimension=name,
                by_candidate={
                    each: _figure(error.interval(), error.people, error.reason) for each, error in errors.items()
                },
                differs={f"{a} - {b}": _apart({a: errors[a], b: errors[b]}) for a, b in combinations(errors, 2)},
            )


def _mean_error(part: _Labelled, error: Floats, scale: Scale) -> Jackknifed:
    """The mean of rating - label (R,) over replies with text."""
    ends = -scale.width, scale.width
    no_scores = np.full(len(error), np.nan)
    every = LabelledReplies(no_scores, error, part.inclusion, part.persons, part.count, None, *ends)
    return mean_of(every.within(part.reached), "labels only")
