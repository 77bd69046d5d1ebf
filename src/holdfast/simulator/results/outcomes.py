"""Count what became of the requests for replies, and say it for the last screen and the page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.agents.raters.gate.rater import why_silent
from holdfast.core.wording import how_many
from holdfast.simulator.records import TurnRecord
from holdfast.simulator.results.candidate_model import CandidateResults

_KEPT = "with tool calls or something kept, which nobody heard or rated"
_IN_WORDS = {"cut": "cut off at max_tokens", "filtered": "cut off by a filter", "refusal": "refused"}


def outcomes_of(turns: Sequence[TurnRecord]) -> dict[str, Any]:
    """Count a candidate's replies: with text by outcome, without by cause (``silent``), those with thoughts, and those
    beside which an application did something."""
    spoken = Counter(turn.outcome for turn in turns if turn.reply.strip())
    silent = Counter(why_silent(turn.primary) or turn.outcome for turn in turns if not turn.reply.strip())
    return {
        "outcomes": dict(spoken.most_common()),
        "silent": dict(silent.most_common()),
        "thoughtful": sum(bool(turn.thoughts) for turn in turns),
        "kept": sum(bool(turn.kept) for turn in turns),
    }


def outcome_lines(candidates: Mapping[str, CandidateResults]) -> list[str]:
    """Return a line for each candidate whose prompt was lost, or not all of whose replies were plain answers."""
    return [f"{name}: {'; '.join(parts)}" for name, each in candidates.items() if (parts := _parts(each))]


def brief_outcomes(candidates: Mapping[str, CandidateResults]) -> list[str]:
    """Return :func:`outcome_lines`, or where several candidates have one, a line for each thing that befell replies."""
    whole = outcome_lines(candidates)
    if len(whole) < 2:
        return whole
    kinds: dict[str, dict[str, Mapping[str, int]]] = {
        "replies without text": {name: each.silent for name, each in candidates.items()},
        "replies disqualified, with adherence 0": {name: each.disqualified for name, each in candidates.items()},
        "replies unrated, see the bounds on the page": {
            name: each.unrated if each.bounds is not None else {} for name, each in candidates.items()
        },
        "replies taken as they came": {name: _odd(each) for name, each in candidates.items()},
        "replies with thoughts, which nobody heard or rated": {
            name: {"": each.thoughtful} for name, each in candidates.items() if each.thoughtful
        },
        f"replies {_KEPT}": {name: {"": each.kept} for name, each in candidates.items() if each.kept},
    }
    lost = [f"{name}: {each.prompt_lost}" for name, each in candidates.items() if each.prompt_lost]
    counted = [f"{kind}: {_counted(counts, candidates)}" for kind, counts in kinds.items() if any(counts.values())]
    return [*lost, *counted]


def _counted(counts: Mapping[str, Mapping[str, int]], candidates: Mapping[str, CandidateResults]) -> str:
    total: Counter[str] = Counter()
    for causes in counts.values():
        total.update(causes)
    sizes = {name: _replies(candidates[name]) for name, of in counts.items() if of}
    alike = len(set(sizes.values())) == 1 < len(sizes)
    sides = [f"{name} {sum(counts[name].values()):,}{'' if alike else f' of {size:,}'}" for name, size in sizes.items()]
    why = ", ".join(f"{n:,} x {cause}" for cause, n in total.most_common() if cause)
    each = f" of {next(iter(sizes.values())):,} each" if alike else ""
    return f"{', '.join(sides)}{each}{f' ({why})' if why else ''}"


def _replies(candidate: CandidateResults) -> int:
    return sum(candidate.outcomes.values()) + sum(candidate.silent.values())


def _odd(candidate: CandidateResults) -> dict[str, int]:
    """Replies with text that are no plain answers, by outcome in words."""
    return {_IN_WORDS.get(name, name): n for name, n in candidate.outcomes.items() if name != "answered"}


def _parts(candidate: CandidateResults) -> list[str]:
    replies = _replies(candidate)
    parts = [candidate.prompt_lost] if candidate.prompt_lost else []
    if candidate.silent:
        causes = ", ".join(f"{n:,} x {cause}" for cause, n in candidate.silent.items())
        silent = _of(sum(candidate.silent.values()), replies, "has", "have")
        parts.append(f"{silent} no text ({causes})")
    if candidate.disqualified:
        failures = ", ".join(f"{n:,} x {failure}" for failure, n in candidate.disqualified.items())
        stopped = _of(sum(candidate.disqualified.values()), replies, "is", "are")
        parts.append(f"{stopped} disqualified, with adherence 0 ({failures})")
    if candidate.bounds is not None:
        low, high = candidate.bounds.worst.adherence.mean, candidate.bounds.best.adherence.mean
        unknown = _of(sum(candidate.unrated.values()), replies, "is", "are")
        parts.append(f"{unknown} unrated: adherence lies between {low:.2f} and {high:.2f}, whatever they are like")
    if odd := _odd(candidate):
        listed = ", ".join(f"{n:,} x {outcome}" for outcome, n in odd.items())
        parts.append(f"{_of(sum(odd.values()), replies, 'is taken as it', 'are taken as they')} came ({listed})")
    if candidate.thoughtful:
        thoughtful = _of(candidate.thoughtful, replies, "came", "came")
        parts.append(f"{thoughtful} with thoughts, which nobody heard or rated")
    if candidate.kept:
        parts.append(f"{_of(candidate.kept, replies, 'came', 'came')} {_KEPT}")
    return parts


def _of(count: int, replies: int, verb: str, plural: str) -> str:
    return f"{count:,} of {how_many(replies, 'reply', 'replies')} {verb if count == 1 else plural}"
