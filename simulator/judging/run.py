"""Rating passages in files with one rater or several, and what there is to say of it afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from agents.prompts import sha256
from agents.raters.judge import JudgeRater, Verdict
from agents.raters.judgement import Judgement, ScaleRater
from agents.raters.quoting import quote_messages
from personas.errors import Fault, InputError, ModelError
from simulator.judging.reading import Cited, read_passages

CHUNK = 256  # passages that are asked about at once: bounds memory, and what an interruption loses
OnDone = Callable[[int], None]


@dataclass(slots=True)
class Rated:
    """Everything that was rated. ``verdicts`` and ``judgements``: by rater, in the passages' order; a rater that is no
    judge has judgements only. ``skipped``: lines that hold no conversation."""

    passages: list[Cited] = field(default_factory=list)
    skipped: list[Fault] = field(default_factory=list)
    judgements: dict[str, list[Judgement]] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)


def collect(files: Sequence[Path], *, whole: bool, limit: int | None) -> Rated:
    """The passages of all files, at most ``limit``, and the lines that hold none.

    Raises :class:`InputError` for a file that cannot be read, or where nothing is there to rate.
    """
    rated = Rated()
    for file in files:
        for one in read_passages(file, whole=whole):
            if isinstance(one, Fault):
                rated.skipped.append(one)
            elif limit is None or len(rated.passages) < limit:
                rated.passages.append(one)
    if not rated.passages:
        raise InputError(rated.skipped[:10] or [Fault(str(files[0]), "is empty; expected messages JSONL")])
    return rated


async def rate(rated: Rated, raters: Mapping[str, ScaleRater], out: TextIO | None, on_done: OnDone) -> None:
    """Let every rater judge every passage, a chunk at a time; a chunk is written as soon as it is there.

    Raises :class:`ModelError` where a judge's server answered nothing at all in the first chunk.
    """
    for name in raters:
        rated.judgements[name] = []
    passages = iter(rated.passages)
    while chunk := list(islice(passages, CHUNK)):
        for name, rater in raters.items():
            verdicts = await _verdicts(rater, chunk, on_done)
            if verdicts is None:
                judged = await rater.judge([one.passage for one in chunk])
                on_done(len(chunk))
            else:
                judged = [verdict.judgement for verdict in verdicts]
                if not rated.judgements[name]:
                    _require_server(name, verdicts)
                rated.verdicts.setdefault(name, []).extend(verdicts)
            rated.judgements[name] += judged
            if out is not None:
                for line in _lines(name, chunk, judged, verdicts):
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
                out.flush()


async def _verdicts(rater: ScaleRater, chunk: Sequence[Cited], on_done: OnDone) -> list[Verdict] | None:
    if not isinstance(rater, JudgeRater):
        return None
    return await rater.examine([one.passage for one in chunk], lambda _index, _verdict: on_done(1))


def _require_server(name: str, verdicts: Sequence[Verdict]) -> None:
    refused = [sample.refused for verdict in verdicts for sample in verdict.samples]
    if all(one is not None and one.reason == "server" for one in refused):
        why = next(one.detail for one in refused if one is not None)
        raise ModelError(
            f"{name}: its server answered none of {len(refused)} requests ({why}). Check --base-url, the model's name "
            "and OPENAI_API_KEY; --timeout gives a slow server longer"
        )


def _lines(
    name: str, chunk: Sequence[Cited], judged: Sequence[Judgement], verdicts: Sequence[Verdict] | None
) -> Iterator[dict[str, Any]]:
    for index, (one, judgement) in enumerate(zip(chunk, judged, strict=True)):
        stamp = judgement.stamp
        line: dict[str, Any] = {
            "file": one.file,
            "line": one.line,
            "turn": one.turn,
            "whole": one.passage.whole,
            "passage_sha256": sha256(quote_messages(one.passage.messages)),
            "rater": {"name": name, "id": stamp.id, "version": stamp.version, "prompt_sha256": stamp.prompt_sha256},
            "scores": dict(judgement.scores),
            "missing": judgement.missing,
            "words": len(one.rated.split()),
        }
        if verdicts is not None:
            line |= _of_judge(verdicts[index])
        yield line


def _of_judge(verdict: Verdict) -> dict[str, Any]:
    """What a judge's line says beyond another rater's."""
    return {
        "spread": verdict.spread,
        "evidence": verdict.judgement.evidence,
        "repaired": verdict.judgement.repaired,
        "tokens": list(verdict.judgement.tokens),
        "samples": [
            {
                "order": sample.order,
                "scores": sample.scores,
                "refused": None if sample.refused is None else str(sample.refused),
                "first_refused": sample.first,
                "invented_quotes": sample.description.invented if sample.description else 0,
            }
            for sample in verdict.samples
        ],
    }


def rate_files(rated: Rated, raters: Mapping[str, ScaleRater], out: Path | None, on_done: OnDone) -> None:
    """Run :func:`rate` to its end; ``out`` is replaced. Raises :class:`InputError` where it cannot be written."""
    if out is None:
        asyncio.run(rate(rated, raters, None, on_done))
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        file = out.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError([Fault(str(out), f"cannot be written: {error.strerror}; choose another --out")]) from None
    with file:
        asyncio.run(rate(rated, raters, file, on_done))
