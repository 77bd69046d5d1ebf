"""Rating passages in files with one rater or several, and what there is to say of it afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

import numpy as np

from holdfast.agents.raters.protocol import Rater, Rating
from holdfast.agents.raters.sample import Refusal
from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError, ModelError
from holdfast.core.wording import quote
from holdfast.simulator.judging.lines import Key, RatedLine, RaterLine, key_of, read_kept, to_line, to_rating
from holdfast.simulator.judging.reading import SourcedPassage, read_passages
from holdfast.simulator.logs.sources import LogSource

CHUNK = 256  # passages that every rater rates before the next ones: bounds what an interruption loses
GROUP = 16  # passages that a rater gets at once: progress is told after each
OnDone = Callable[[int], None]
Kept = Mapping[Key, RatedLine]


@dataclass(slots=True)
class RatedFiles:
    """Everything that was rated. ``in_files``: how many passages the files hold, ``passages`` or more;
    ``ratings``: by rater, in the passages' order; ``skipped``: lines that hold no conversation."""

    passages: list[SourcedPassage] = field(default_factory=list)
    in_files: int = 0
    skipped: list[Fault] = field(default_factory=list)
    ratings: dict[str, list[Rating]] = field(default_factory=dict)


def collect(
    sources: Sequence[LogSource], *, whole: bool, limit: int | None = None, sample: int | None = None, seed: int = 0
) -> RatedFiles:
    """Return the passages of all files and what holds none: the first ``limit``, and of these ``sample`` drawn by
    ``seed``.

    Raises:
        InputError: a file cannot be read, or nothing is there to rate.
    """
    rated = RatedFiles()
    for passage in read_passages(sources, whole=whole):
        if isinstance(passage, Fault):
            rated.skipped.append(passage)
            continue
        rated.in_files += 1
        if limit is None or len(rated.passages) < limit:
            rated.passages.append(passage)
    if not rated.passages:
        named = ", ".join(source.name for source in sources)
        raise InputError(rated.skipped[:10] or [Fault(named, "holds no conversation")])
    if sample is not None:
        rated.passages = _drawn(rated.passages, sample, seed)
    return rated


def _drawn(passages: Sequence[SourcedPassage], count: int, seed: int) -> list[SourcedPassage]:
    """Return ``count`` passages in their order, of each conversation equally many as far as it has them.

    ``seed`` draws which replies of a conversation they are, and which conversations give one more than others.
    """
    rng = np.random.default_rng(seed)
    chances = rng.random((len(passages), 2))
    conversations: dict[tuple[str, int, str], list[int]] = {}
    for number, passage in enumerate(passages):
        conversations.setdefault((passage.file, passage.line, passage.conversation), []).append(number)
    by_turns = [
        (place, chances[numbers[0], 1], number)
        for numbers in conversations.values()
        for place, number in enumerate(sorted(numbers, key=lambda number: chances[number, 0]))
    ]
    return [passages[number] for number in sorted(number for *_, number in sorted(by_turns)[:count])]


async def rate(
    rated: RatedFiles,
    raters: Mapping[str, Rater],
    out: TextIO | None,
    on_done: OnDone,
    kept: Kept = MappingProxyType({}),
    group: int = GROUP,
) -> None:
    """Let every rater rate every passage, ``group`` at once; what is rated is written as soon as it is there.

    ``kept``: lines of a run before, which are not rated again. Raises :class:`ModelError` where a judge's server
    answered nothing at all in the first chunk.
    """
    rated.ratings = {name: [] for name in raters}
    for start in range(0, len(rated.passages), CHUNK):
        for name, rater in raters.items():
            for first in range(start, min(start + CHUNK, len(rated.passages)), group):
                passages = rated.passages[first : min(first + group, start + CHUNK)]
                rated.ratings[name] += await _rated(name, rater, passages, out, kept)
                on_done(len(passages))
            if start == 0:
                answers = [sample.refused for rating in rated.ratings[name] for sample in rating.samples]
                require_server(name, answers, "; --timeout gives a slow server longer")


async def _rated(
    name: str, rater: Rater, passages: Sequence[SourcedPassage], out: TextIO | None, kept: Kept
) -> list[Rating]:
    """The ratings that are kept, and those that are made now and written."""
    identity = rater.identity
    before = [kept.get(key_of(name, passage, identity)) for passage in passages]
    ask = [passage for passage, line in zip(passages, before, strict=True) if line is None]
    fresh = await rater.rate([passage.passage for passage in ask])
    if out is not None:
        lines = (to_line(name, identity, passage, rating) for passage, rating in zip(ask, fresh, strict=True))
        out.writelines(line.model_dump_json() + "\n" for line in lines)
        out.flush()
    left = iter(fresh)
    return [next(left) if line is None else to_rating(line) for line in before]


def require_server(name: str, answers: Sequence[object], hint: str = "") -> None:
    """Raise ModelError where the server of the judge ``name`` gave none of ``answers``."""
    failed = [answer for answer in answers if isinstance(answer, Refusal) and answer.reason == "server"]
    if failed and len(failed) == len(answers):
        raise ModelError(
            f"{name}: its server answered none of {len(failed)} requests ({failed[0].detail}). Check --base-url, the "
            f"model's name and the key in the environment{hint}"
        )


def _require_same_raters(kept: Iterable[RatedLine], raters: Mapping[str, Rater], out: Path) -> None:
    """Raise InputError where ``kept`` holds another rater of the same name, such as one that asked otherwise."""
    now = {name: RaterLine.of(name, rater.identity) for name, rater in raters.items()}
    for line in kept:
        before = line.rater
        if (rater := now.get(before.name, before)) != before:
            how = f"{before.id} {before.version}, now {rater.id} {rater.version}"
            said = f"holds scores by {quote(before.name)} that were asked for otherwise ({how}); choose another --out"
            raise InputError([Fault(str(out), said)])


async def rate_files(
    rated: RatedFiles,
    raters: Mapping[str, Rater],
    out: Path | None,
    on_done: OnDone,
    *,
    resume: bool = False,
    group: int = GROUP,
) -> None:
    """Run :func:`rate` to its end. With ``resume`` what stands in ``out`` is kept, and new lines follow it.

    Raises :class:`InputError` where ``out`` is there already without ``resume``, or cannot be written.
    """
    if out is None:
        return await rate(rated, raters, None, on_done, group=group)
    if out.exists() and not resume:
        raise InputError([Fault(str(out), "is there already; --resume goes on with it, or choose another --out")])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        kept = {line.key: line for line in read_kept(out)}
        _require_same_raters(kept.values(), raters, out)
        whole = "".join(line.model_dump_json() + "\n" for line in kept.values())
        with drafted(out) as draft:  # a torn last line is dropped; an interruption here loses nothing
            draft.write_text(whole, encoding="utf-8")
        file = out.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError([Fault(str(out), f"cannot be written: {error.strerror}; choose another --out")]) from None
    with file:
        await rate(rated, raters, file, on_done, kept, group)
