"""A judge over a file of pairs: which reply it prefers, and how far position and length explain that."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.agents.protocols import Message
from holdfast.agents.raters.judge.answer import Refusal
from holdfast.agents.raters.judge.pairwise import PairwiseJudge, Preference, ReplyPair, position_report, verbosity_report
from holdfast.core.errors import ModelError

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


def compare(judge: PairwiseJudge, pairs: Sequence[PreferencePair], on_done: Callable[[int], None]) -> list[Preference]:
    """One preference per pair. Raises ModelError where the server answered nothing at all of the first chunk."""
    found: list[Preference] = []
    for chunk in _chunks(as_reply_pairs(pairs)):
        found += asyncio.run(judge.compare(chunk))
        if len(found) == len(chunk):
            _require_server(judge.name, found)
        on_done(len(chunk))
    return found


def summarise_comparison(
    judge: PairwiseJudge, pairs: Sequence[PreferencePair], found: Sequence[Preference]
) -> dict[str, Any]:
    """Counts and controls, ready for JSON; undefined is null."""
    position, verbosity = position_report(found), verbosity_report(as_reply_pairs(pairs), found)
    verdicts = Counter(one.better for one in found)
    refused = [one for each in found for one in (each.as_listed, each.swapped) if isinstance(one, Refusal)]
    decided = verdicts["first"] + verdicts["second"]
    return {
        "judge": {"id": judge.identity.id, "version": judge.identity.version, "prompt_sha256": judge.identity.prompt_sha256},
        "scale": judge.scale.id,
        "pairs": len(found),
        "verdicts": {
            "chosen": verdicts["first"],
            "rejected": verdicts["second"],
            "neither": verdicts["neither"],
            "depends_on_order": sum(one.better is None and one.missing is None for one in found),
            "missing": int(position["missing"]),
        },
        "agrees_with_file": {"share": verdicts["first"] / decided if decided else None, "n": decided},
        "position": _plain(position),
        "verbosity": _plain(verbosity),
        "refused_answers": dict(sorted(Counter(one.reason for one in refused).items())),
        "repaired_answers": sum(one.repaired for one in found),
        "tokens": {"prompt": sum(one.tokens[0] for one in found), "completion": sum(one.tokens[1] for one in found)},
    }


def preferred(
    judge: PairwiseJudge, pairs: Sequence[PreferencePair], found: Sequence[Preference]
) -> list[PreferencePair]:
    """The pairs as the judge prefers them, for training; those without one verdict in both orders are left out."""
    source = f"{judge.identity.id} {(judge.identity.prompt_sha256 or '')[:12]}"
    return [
        pair.model_copy(update={**_sides(pair, one.better == "first"), "source": source, "margin": None})
        for pair, one in zip(pairs, found, strict=True)
        if one.better in {"first", "second"}
    ]


def _sides(pair: PreferencePair, kept: bool) -> dict[str, tuple[ChatLine, ...]]:
    return {
        "chosen": pair.chosen if kept else pair.rejected,
        "rejected": pair.rejected if kept else pair.chosen,
    }


def _require_server(name: str, found: Sequence[Preference]) -> None:
    answers = [one for each in found for one in (each.as_listed, each.swapped)]
    failed = [one for one in answers if isinstance(one, Refusal) and one.reason == "server"]
    if len(failed) == len(answers):
        raise ModelError(
            f"{name}: its server answered none of {len(answers)} requests ({failed[0].detail}). Check --base-url, the "
            "model's name and the key in the environment"
        )


def _chunks(pairs: Sequence[ReplyPair]) -> list[Sequence[ReplyPair]]:
    return [pairs[at : at + CHUNK] for at in range(0, len(pairs), CHUNK)]


def _plain(report: dict[str, float]) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else value for key, value in report.items()}
