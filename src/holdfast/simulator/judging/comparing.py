"""A judge over a file of pairs: which reply it prefers, and how far position and length explain that."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.agents.protocols import Message
from holdfast.agents.raters.judge.pairwise import (
    Better,
    PairwiseJudge,
    Preference,
    ReplyPair,
    position_report,
    verbosity_report,
)
from holdfast.agents.raters.sample import Refusal
from holdfast.simulator.judging.run import require_server
from holdfast.simulator.results.shapes import plain

CHUNK = 128  # pairs that are asked about at once


def as_reply_pairs(pairs: Sequence[PreferencePair]) -> list[ReplyPair]:
    """The pairs as a judge is asked about them; "first" is the one that the file calls chosen."""
    return [
        ReplyPair(
            tuple(Message(line.role, line.content) for line in pair.prompt),
            pair.chosen[0].content,
            pair.rejected[0].content,
        )
        for pair in pairs
    ]


async def compare(
    judge: PairwiseJudge, pairs: Sequence[PreferencePair], on_done: Callable[[int], None]
) -> list[Preference]:
    """One preference per pair. Raises ModelError where the server answered nothing at all of the first chunk."""
    asked, preferences = as_reply_pairs(pairs), list[Preference]()
    for start in range(0, len(asked), CHUNK):
        chunk = await judge.compare(asked[start : start + CHUNK])
        if start == 0:
            require_server(judge.name, _answers(chunk))
        preferences += chunk
        on_done(len(chunk))
    return preferences


def summarise_comparison(
    judge: PairwiseJudge, pairs: Sequence[PreferencePair], preferences: Sequence[Preference]
) -> dict[str, Any]:
    """Counts and controls, ready for JSON; undefined is null."""
    position, verbosity = position_report(preferences), verbosity_report(as_reply_pairs(pairs), preferences)
    better = Counter(preference.better for preference in preferences)
    refused = [answer for answer in _answers(preferences) if isinstance(answer, Refusal)]
    decided = better["first"] + better["second"]
    return {
        "judge": asdict(judge.identity),
        "scale": judge.scale.id,
        "pairs": len(preferences),
        "preferences": {
            "chosen": better["first"],
            "rejected": better["second"],
            "neither": better["neither"],
            "depends_on_order": sum(each.better is None and each.missing is None for each in preferences),
            "missing": int(position["missing"]),
        },
        "agrees_with_file": {"share": better["first"] / decided if decided else None, "n": decided},
        "position": plain(position),
        "verbosity": plain(verbosity),
        "refused_answers": dict(sorted(Counter(refusal.reason for refusal in refused).items())),
        "repaired_answers": sum(each.repaired for each in preferences),
        "tokens": {
            "prompt": sum(each.tokens[0] for each in preferences),
            "completion": sum(each.tokens[1] for each in preferences),
        },
    }


def preferred(
    judge: PairwiseJudge, pairs: Sequence[PreferencePair], preferences: Sequence[Preference]
) -> list[PreferencePair]:
    """The pairs as the judge prefers them, for training; those without the same answer in both orders are left out."""
    source = f"{judge.identity.id} {(judge.identity.prompt_sha256 or '')[:12]}"
    return [
        pair.model_copy(
            update={**(_turned(pair) if preference.better == "second" else {}), "source": source, "margin": None}
        )
        for pair, preference in zip(pairs, preferences, strict=True)
        if preference.better in {"first", "second"}
    ]


def _turned(pair: PreferencePair) -> dict[str, tuple[ChatLine, ...]]:
    return {"chosen": pair.rejected, "rejected": pair.chosen}


def _answers(preferences: Sequence[Preference]) -> list[Better | Refusal]:
    return [answer for preference in preferences for answer in (preference.as_listed, preference.swapped)]
