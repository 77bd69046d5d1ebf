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
from holdfast.simulator.labelling.sample import Reply
from holdfast.simulator.labelling.store import LABEL_SCALES, Label, LabelFolder, combined, last_answers
from holdfast.simulator.measure.arrays import Bools, Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import FEWEST
from holdfast.simulator.measure.decay.retention import QUARTERS, quarter_of, quarters
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.extract import rating_array
from holdfast.simulator.measure.labelled_mean import (
    METHODS,
    TRUSTED_FROM,
    Jackknifed,
    LabelledReplies,
    fieller_interval,
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

    def replies(self, scores: Floats, labels: Floats) -> LabelledReplies:
        """``scores`` and ``labels``: (R,)."""
        kept = self.reached
        return LabelledReplies(scores[kept], labels[kept], self.inclusion[kept], self.persons[kept], self.count)


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
    chance = {each.reply: each.inclusion for each in sample.replies}
    levels = {reply: values for reply, values in combined(answers.values()).items() if reply in chance}
    persons = {name: code for code, name in enumerate(sorted({g for m in measured.values() for g in m.arrays.groups}))}
    parts = {name: _labelled(each, levels, chance, scale, persons) for name, each in measured.items()}
    clusters = {name: len(set(part.persons[part.there].tolist())) for name, part in parts.items()}
    few = [name for name, count in clusters.items() if 0 < count < TRUSTED_FROM]
    notes = [
        f"{name}: {how_many(clusters[name], 'person')} with labels: too few for limits to be trusted" for name in few
    ]
    if sample.candidates and (others := [name for name in measured if name not in sample.candidates]):
        notes.append(f"{', '.join(others)}: not among those whose replies were to be labelled; by the rater alone")
    beside_targets = scale is EXPRESSED and context.primary.scale.dimensions == EXPRESSED.dimensions
    if scale is EXPRESSED and not beside_targets:
        notes.append("patterns here are on another scale than the labels: no adherence is estimated from them")
    elif scale is not EXPRESSED:
        notes.append("labels of one overall score stand beside no empathy pattern: no adherence is estimated from them")
    return RunLabels(
        scale=sample.scale,
        coders={coder: len(given) for coder, given in answers.items()},
        models=sorted(coder for coder, given in answers.items() if any(label.model for label in given.values())),
        drawn=len(sample.replies),
        labelled=len(levels),
        twice=sum(sum(reply in given for given in answers.values()) > 1 for reply in levels),
        share_labelled=len(levels) / len(sample.replies),
        between_coders=list(_between(answers, scale)),
        raters=list(_raters(parts, scale, context)),
        errors=list(_errors(parts, scale, context)),
        candidates={name: _candidate(part, context) for name, part in parts.items()} if beside_targets else {},
        differences=list(_differences(parts, context)) if beside_targets else [],
        notes=notes,
    )


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


def _adherence(part: _Labelled, context: ResultsContext) -> tuple[Floats, Floats]:
    """(R,) by the primary rater, and by the labels; 0 by both where the gate stopped the reply."""
    arrays, width = part.measured.arrays, context.primary.scale.width
    labels = part.levels.reshape(*arrays.levels.shape)
    stopped = arrays.disqualified & ~np.isnan(labels[..., 0])
    return part.measured.adherence.ravel(), adherence(labels, part.measured.target, width, stopped).ravel()


def _means(part: _Labelled, context: ResultsContext, where: Bools | None = None) -> dict[str, Jackknifed]:
    """Mean adherence by method, over the replies in ``where`` (episodes x turns)."""
    replies = part.replies(*_adherence(part, context))
    if where is not None:
        replies = replies.within(where.ravel()[part.reached])
    return {method: mean_of(replies, method) for method in METHODS}


def _intervals(means: Mapping[str, Jackknifed], people: int) -> ByMethod:
    return {
        method: _limited(mean.interval(), mean.persons if method == "rater only" else people)
        for method, mean in means.items()
    }


def _limited(interval: Estimate, people: int) -> Estimate:
    """The estimate, without limits where it rests on fewer than five people."""
    return interval if people >= FEWEST else Estimate(mean=interval.mean, lo=None, hi=None)


def _people(part: _Labelled, where: Bools | None = None) -> int:
    """How many people have a label, among the replies in ``where``."""
    chosen = part.there if where is None else part.there & where.ravel()
    return len(set(part.persons[chosen].tolist()))


def _candidate(part: _Labelled, context: ResultsContext) -> LabelledCandidate:
    first, last = quarters(part.measured.arrays.planned, part.measured.arrays.turns)
    start, end = _means(part, context, first), _means(part, context, last)
    return LabelledCandidate(
        labels=int(part.there.sum()),
        persons=_people(part),
        adherence=_intervals(_means(part, context), _people(part)),
        quarters=[
            _intervals(_means(part, context, where), _people(part, where)) for where in _quarter_masks(part.measured)
        ],
        retention={
            method: _limited(
                fieller_interval(end[method], start[method]),
                min(end[method].persons, start[method].persons)
                if method == "rater only"
                else min(_people(part, first), _people(part, last)),
            )
            for method in METHODS
        },
    )


def _quarter_masks(measured: MeasuredCandidate) -> list[Bools]:
    """(episodes, turns) masks of the four quarters; all turns once."""
    quarter = quarter_of(np.arange(1, measured.arrays.turns + 1)[None, :], measured.arrays.planned[:, None])
    return [quarter == each for each in range(1, QUARTERS + 1)]


def _differences(parts: Mapping[str, _Labelled], context: ResultsContext) -> Iterator[LabelledDifference]:
    last = {name: quarters(part.measured.arrays.planned, part.measured.arrays.turns)[1] for name, part in parts.items()}
    for metric in ("adherence", "adherence_last_quarter"):
        where = last if metric == "adherence_last_quarter" else dict.fromkeys(parts)
        means = {name: _means(part, context, where[name]) for name, part in parts.items()}
        for a, b in combinations(parts, 2):
            people = min(_people(parts[name], where[name]) for name in (a, b))
            apart = _intervals({method: means[a][method].minus(means[b][method]) for method in METHODS}, people)
            yield LabelledDifference(a=a, b=b, metric=metric, difference=apart)


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
    yield from (rater for rater in asked if rater.scale.dimensions == scale.dimensions)


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
            errors, people = dict[str, Jackknifed](), {candidate: _people(part) for candidate, part in parts.items()}
            for candidate, part in parts.items():
                apart = _ratings(part, rater.name, scale.dimensions) - part.levels
                error = present_mean(apart, axis=1) if name == "mean" else apart[:, at]
                errors[candidate] = mean_of(part.replies(np.full(len(error), np.nan), error), "labels only")
            yield RaterError(
                rater=rater.name,
                dimension=name,
                by_candidate={each: _limited(error.interval(), people[each]) for each, error in errors.items()},
                differs={
                    f"{a} - {b}": _limited(errors[a].minus(errors[b]).interval(), min(people[a], people[b]))
                    for a, b in combinations(errors, 2)
                },
            )
