"""Whether a writer's dialogues are of any use, judged after the first tenth of them, before hours go by."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.steering import DialoguePlan, DrawnReply, SteeredDialogue
from holdfast.core.wording import how_many, printable, shorten

#: Fixed before the first draft. A pattern's first tenth of dialogues, but at least one, must hold so many turns with a
#: reply that has no flaw; else nothing more is written.
FIRST_SHARE, LEAST_USABLE_TURNS = 0.1, 1
SHOWN, LONGEST_SHOWN = 3, 160  # discarded replies that are shown, and characters of each


def first_tenth(plans: Mapping[str, Sequence[DialoguePlan]]) -> list[DialoguePlan]:
    """Return the first tenth of each pattern's plans."""
    return [plan for group in plans.values() for plan in group[: math.ceil(FIRST_SHARE * len(group))]]


def is_hopeless(dialogues: Sequence[SteeredDialogue]) -> bool:
    """Return whether dialogues that came to their end hold too few usable replies to go on with their writer."""
    finished = [dialogue for dialogue in dialogues if dialogue.error is None]
    usable = sum(not turn.flaws for dialogue in finished for turn in dialogue.turns)
    return bool(finished) and usable < LEAST_USABLE_TURNS


def discarded(
    config: TrainingConfig, pattern: str, writer: str, dialogues: Sequence[SteeredDialogue], planned: int
) -> str:
    """Say that nothing of ``dialogues`` is of use, show discarded replies with their reasons, and what would help.

    ``planned``: how many dialogues there would have been.
    """
    turns = [turn for dialogue in dialogues for turn in dialogue.turns]
    drawn = sum(len(turn.samples) for turn in turns)
    errors = sorted({dialogue.error for dialogue in dialogues if dialogue.error})
    usable = sum(not turn.flaws for turn in turns)
    rest = planned - len(dialogues)
    lines = [
        f"pattern {pattern}: none of {how_many(len(dialogues), 'dialogue')} by {writer} had {config.min_turns} usable "
        f"turns ({how_many(usable, 'usable reply', 'usable replies')} to {how_many(len(turns), 'message')}, {drawn:,} "
        f"drawn{_reasons(dialogues)})" + (f"; the other {rest:,} are not written" if rest else "")
    ]
    lines += [f"  {error}" for error in errors[:1]]
    lines += [f"  discarded: {_shown(sample)}" for sample in _spread(refused_replies(dialogues))]
    lines.append(f"What would help: {', or '.join(_advice(config, dialogues))}")
    return "\n".join(lines)


def refused_replies(dialogues: Sequence[SteeredDialogue]) -> list[DrawnReply]:
    """Return the best sample of each turn that has none to keep."""
    return [turn.kept for dialogue in dialogues for turn in dialogue.turns if turn.flaws]


def _reasons(dialogues: Sequence[SteeredDialogue]) -> str:
    counts = Counter(flaw for sample in refused_replies(dialogues) for flaw in sample.flaws)
    return "".join(f"; {flaw} {count}" for flaw, count in counts.most_common(4))


def _spread(samples: Sequence[DrawnReply]) -> Iterator[DrawnReply]:
    """Yield a few samples, those first that were discarded for reasons not shown yet."""
    seen, later = set[tuple[str, ...]](), list[DrawnReply]()
    chosen = 0
    for sample in samples:
        if sample.flaws in seen:
            later.append(sample)
        elif chosen < SHOWN:
            seen.add(sample.flaws)
            chosen += 1
            yield sample
    yield from later[: SHOWN - chosen]


def _shown(sample: DrawnReply) -> str:
    text = shorten(printable(" ".join(sample.reply.split())), LONGEST_SHOWN)
    near = "" if math.isnan(sample.adherence) else f", adherence {sample.adherence:.2f}"
    stopped = f" ({sample.rating.disqualified})" if sample.rating.disqualified else ""
    return f"“{text}” [{', '.join(sample.flaws)}{stopped}{near}]"


def _advice(config: TrainingConfig, dialogues: Sequence[SteeredDialogue]) -> Iterator[str]:
    flaws = Counter(flaw for sample in refused_replies(dialogues) for flaw in sample.flaws)
    shown = any(dialogue.plan.steering and dialogue.plan.steering.opening for dialogue in dialogues)
    if not shown and not config.examples:
        yield "example exchanges beside the words (examples: true)"
    yield f"more samples (now {config.samples})"
    if flaws["unfinished"]:
        yield f"more max_tokens (now {config.max_tokens})"
    if flaws["low_adherence"]:
        yield f"a lower min_adherence (now {config.min_adherence})"
    yield "a larger model to write (model: under 'training')"
