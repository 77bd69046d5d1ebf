"""Rating passages in files with one rater or several, and what there is to say of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from holdfast.core.atomic import drafted
from holdfast.agents.raters.judge.rater import JudgeRater, Verdict
from holdfast.agents.raters.protocol import Rating, Rater
from holdfast.core.errors import Fault, InputError, ModelError
from holdfast.simulator.judging.lines import Key, RatedLine, key_of, read_kept, to_line, to_verdict
from holdfast.simulator.judging.reading import SourcedPassage, read_passages

CHUNK = 256  # passages that are asked about at once: bounds memory, and what an interruption loses
OnDone = Callable[[int], None]
Kept = Mapping[Key, RatedLine]


@dataclass(slots=True)
class RatedFiles:
    """Everything that was rated. ``verdicts`` and ``judgements``: by rater, in the passages' order; a rater that is no
    judge has judgements only. ``skipped``: lines that hold no conversation."""

    passages: list[SourcedPassage] = field(default_factory=list)
    skipped: list[Fault] = field(default_factory=list)
    judgements: dict[str, list[Rating]] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)


def collect(files: Sequence[Path], *, whole: bool, limit: int | None) -> RatedFiles:
    """The passages of all files, at most ``limit``, and the lines that hold none.

    Raises :class:`InputError` for a file that cannot be read, or where nothing is there to rate.
    """
    rated = RatedFiles()
    for file in files:
        for one in read_passages(file, whole=whole):
            if isinstance(one, Fault):
                rated.skipped.append(one)
            elif limit is None or len(rated.passages) < limit:
                rated.passages.append(one)
    if not rated.passages:
        raise InputError(rated.skipped[:10] or [Fault(str(files[0]), "is empty; expected messages JSONL")])
    return rated


async def rate(
    rated: RatedFiles,
    raters: Mapping[str, Rater],
    out: TextIO | None,
    on_done: OnDone,
    kept: Kept = MappingProxyType({}),
) -> None:
    """Let every rater judge every passage, a chunk at a time; a chunk is written as soon as it is there.

    ``kept``: lines of a run before, which are not asked again. Raises :class:`ModelError` where a judge's server
    answered nothing at all in the first chunk.
    """
    for name in raters:
        rated.judgements[name] = []
    passages = iter(rated.passages)
    while chunk := list(islice(passages, CHUNK)):
        for name, rater in raters.items():
            if isinstance(rater, JudgeRater):
                verdicts = await _verdicts(name, rater, chunk, out, on_done, kept)
                if not rated.judgements[name]:
                    _require_server(name, verdicts)
                rated.verdicts.setdefault(name, []).extend(verdicts)
                rated.judgements[name] += [verdict.judgement for verdict in verdicts]
                continue
            judged = await rater.rate([one.passage for one in chunk])
            _write(out, [to_line(name, rater.identity, one, found, None) for one, found in zip(chunk, judged, strict=True)])
            rated.judgements[name] += judged
            on_done(len(chunk))


async def _verdicts(
    name: str, rater: JudgeRater, chunk: Sequence[SourcedPassage], out: TextIO | None, on_done: OnDone, kept: Kept
) -> list[Verdict]:
    """A judge's verdicts on a chunk: those that are kept, and those that are asked for now and written."""
    before = [kept.get(key_of(name, one, rater.identity)) for one in chunk]
    ask = [one for one, line in zip(chunk, before, strict=True) if line is None]
    on_done(len(chunk) - len(ask))
    asked = await rater.examine([one.passage for one in ask], lambda _index, _verdict: on_done(1))
    _write(out, [to_line(name, rater.identity, one, found.judgement, found) for one, found in zip(ask, asked, strict=True)])
    fresh = iter(asked)
    return [next(fresh) if line is None else to_verdict(line) for line in before]


def _write(out: TextIO | None, lines: Sequence[RatedLine]) -> None:
    if out is not None:
        out.writelines(line.model_dump_json() + "\n" for line in lines)
        out.flush()


def _require_server(name: str, verdicts: Sequence[Verdict]) -> None:
    refused = [sample.refused for verdict in verdicts for sample in verdict.samples]
    if all(one is not None and one.reason == "server" for one in refused):
        why = next(one.detail for one in refused if one is not None)
        raise ModelError(
            f"{name}: its server answered none of {len(refused)} requests ({why}). Check --base-url, the model's name "
            "and the key in the environment; --timeout gives a slow server longer"
        )


def rate_files(
    rated: RatedFiles, raters: Mapping[str, Rater], out: Path | None, on_done: OnDone, *, resume: bool = False
) -> None:
    """Run :func:`rate` to its end. With ``resume`` what a judge has rated in ``out`` is kept, and new lines follow it.

    Raises :class:`InputError` where ``out`` is there already without ``resume``, or cannot be written.
    """
    if out is None:
        asyncio.run(rate(rated, raters, None, on_done))
        return
    if out.exists() and not resume:
        raise InputError([Fault(str(out), "is there already; --resume goes on with it, or choose another --out")])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        kept = {line.key: line for line in read_kept(out)}
        whole = "".join(line.model_dump_json() + "\n" for line in kept.values())
        with drafted(out) as draft:  # a torn last line is dropped; an interruption here loses nothing
            draft.write_text(whole, encoding="utf-8")
        file = out.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError([Fault(str(out), f"cannot be written: {error.strerror}; choose another --out")]) from None
    with file:
        asyncio.run(rate(rated, raters, file, on_done, kept))
