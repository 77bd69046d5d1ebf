"""How a log was measured, as a paragraph for a paper and the BibTeX of what it cites, made from the results."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

from holdfast.core.wording import how_many
from holdfast.simulator.logs.model import LogResults
from holdfast.simulator.logs.sums import MOST_CLUSTERS
from holdfast.simulator.measure.bootstrap import FEWEST
from holdfast.simulator.measure.decay.slope import MIN_TURNS
from holdfast.simulator.measure.decay.survival import FRACTION, RUN
from holdfast.simulator.measure.pairwise import FLIPS
from holdfast.simulator.results.model import RaterInfo

MOST_NAMED = 5  # files, groups, or reasons that the paragraph names
SLOPE = (
    f"least squares of the values on the turn, pooled over the conversations of at least {MIN_TURNS} rated turns: one "
    "line through all of them, each about its own mean"
)
SLOPE_GIVEN_LENGTH = "the same, with the log of the reply's length held constant"
_SCALES = {
    "expressed": "sharma2020computational",
    "perceived": "suh2025sense7",
    "acts": "kumar2025when",
    "felt": "svikhnushina2022ieval",
}
_CITED = {
    "holdfast": "",
    "shayegani2025measurement": "Shayegani et al., 2025",
    "sharma2020computational": "EPITOME; Sharma et al., 2020",
    "suh2025sense7": "SENSE-7; Suh et al., 2025",
    "kumar2025when": "Kumar et al., 2025",
    "svikhnushina2022ieval": "iEval; Svikhnushina et al., 2022",
    "hesterberg2015what": "Hesterberg, 2015",
    "chung2013exact": "Chung & Romano, 2013",
    "holm1979simple": "Holm, 1979",
    "kaplan1958nonparametric": "Kaplan & Meier, 1958",
}


def methods_text(results: LogResults) -> str:
    """Return the paragraph: what was measured, by which raters, and how intervals and tests were made."""
    return " ".join(
        sentence for part in (_material, _raters, _figures, _intervals, _differences) for sentence in part(results)
    )


def bibtex(results: LogResults) -> str:
    """Return the BibTeX entries of the software and of the papers that :func:`methods_text` cites, in their order."""
    text = (files("holdfast.simulator.logs") / "references.bib").read_text(encoding="utf-8")
    entries = {re.split("[{,]", entry, maxsplit=2)[1]: entry.strip() for entry in text.split("\n\n")}
    paragraph = methods_text(results)
    used = [key for key, words in _CITED.items() if key == "holdfast" or f"({words})" in paragraph]
    return "\n\n".join(entries[key].replace("VERSION", results.holdfast_version) for key in used) + "\n"


def _cite(key: str) -> str:
    return f"({_CITED[key]})"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _counted(counts: Mapping[str, int]) -> str:
    return _listed([f"{n:,} {reason}" for reason, n in counts.items()])


def _material(results: LogResults) -> Iterator[str]:
    people = (
        f"more than {MOST_CLUSTERS:,} people"
        if results.people is None
        else how_many(results.people, "person", "people")
    )
    yield (
        f"We measured {how_many(results.conversations, 'conversation')} of {people} "
        f"({how_many(results.turns, 'turn')}, at most {results.longest:,} in one) with holdfast "
        f"{results.holdfast_version}, from {_listed([f'{file.name} ({file.format})' for file in results.files])}."
    )
    if results.unnamed:
        yield f"The log does not name the speaker of {results.unnamed:,} of them; each counts as a person of its own."
    if results.skipped.total:
        yield f"{how_many(results.skipped.total, 'piece')} of the files could not be used."
    if results.by:
        groups = [f"{name}: {how_many(group.n, 'conversation')}" for name, group in results.groups.items()]
        yield f"Conversations were grouped by {', '.join(results.by)} ({_listed(groups)})."


def _raters(results: LogResults) -> Iterator[str]:
    yield f"Replies were rated by {_rater(results.rater)}."
    beside = [_rater(witness.rater) for witness in results.witnesses.values()]
    if beside:
        yield f"Beside it stood {_listed(beside)}."
    for name, file in results.scores_read.items():
        yield f"The scores by {name} were given before, and read from {file}."
    if results.gate is not None:
        yield f"Before rating, a gate (version {results.gate}) sorted out replies that are observed failures."
    counts = f"{how_many(results.rated_replies, 'reply was', 'replies were')} rated"
    if results.disqualified_replies:
        counted = "adhere 0 to the pattern" if results.main_measure == "adherence" else "left out of every mean"
        counts += f"; {_counted(results.disqualified_replies)} were disqualified, and {counted}"
    if results.unrated_replies:
        counts += f"; unrated, and left out, are: {_counted(results.unrated_replies)}"
    yield f"{counts}."


def _rater(rater: RaterInfo) -> str:
    scale, known_as = rater.scale, "" if rater.name == rater.id else f"{rater.name}, "
    rubric = f", rubric SHA-256 {rater.prompt_sha256}" if rater.prompt_sha256 else ""
    cited = f" {_cite(_SCALES[scale.id])}" if scale.id in _SCALES else ""
    dimensions = ", ".join(name.replace("_", " ") for name in scale.dimensions)
    about = f"{known_as}{rater.id} version {rater.version}{rubric}"
    return f"{about}, on the scale {scale.id}{cited}: {dimensions}, {scale.low:g} to {scale.high:g} each"


def _figures(results: LogResults) -> Iterator[str]:
    main = results.main_measure
    if main == "adherence":
        pattern = results.pattern
        levels = (
            ", ".join(f"{name.replace('_', ' ')} {level:g}" for name, level in pattern.target.items())
            if pattern
            else ""
        )
        against = f"the pattern “{pattern.title}” ({levels})" if pattern else "the pattern of each conversation's task"
        yield (
            f"Adherence is 1 minus the mean distance of a reply's levels from {against}, in widths of the scale "
            f"{_cite('shayegani2025measurement')}."
        )
    if main:
        yield (
            "A conversation's level is the mean over its replies; retention is the mean of the last quarter of its "
            f"turns over that of the first; the slope is {SLOPE}; beside it stands {SLOPE_GIVEN_LENGTH}."
        )
    if any(group.violations for group in results.groups.values()):
        yield (
            f"A lasting violation is {RUN} replies in a row below {FRACTION:.0%} of a conversation's own first two; "
            f"the share without one is estimated over turns {_cite('kaplan1958nonparametric')}."
        )


def _intervals(results: LogResults) -> Iterator[str]:
    yield (
        f"Intervals are 95 %, expanded percentiles of a bootstrap over people {_cite('hesterberg2015what')} with "
        f"{results.draws:,} draws and seed {results.seed}, so that conversations of one person stay together; fewer "
        f"than {FEWEST} people get none."
    )


def _differences(results: LogResults) -> Iterator[str]:
    if not results.differences:
        return
    tested = [row for row in results.differences if row.p is not None]
    designs = _listed(list(dict.fromkeys(row.design for row in tested)))
    if tested:
        yield (
            f"Groups were compared in level and slope; people in both groups count as their own control ({designs}). "
            f"p is two-sided, of {FLIPS:,} permutations of people between the groups, of the difference over its "
            f"standard error clustered by person {_cite('chung2013exact')}, and adjusted over all "
            f"{how_many(len(tested), 'test')} {_cite('holm1979simple')}."
        )
    untested = len(results.differences) - len(tested)
    if untested:
        yield (
            f"{how_many(untested, 'comparison')} with fewer than {FEWEST} people in a group, or whose people do not "
            "differ, got neither interval nor p."
        )
