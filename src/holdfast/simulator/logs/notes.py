"""What a reader of the figures of logs must know: one sentence each."""

from collections.abc import Iterator, Sequence

from holdfast.core.wording import how_many, quote
from holdfast.simulator.logs.differences import MOST_COMPARED
from holdfast.simulator.logs.parts import BOUNDS
from holdfast.simulator.logs.sums import CURVE_TURNS, MOST_CLUSTERS
from holdfast.simulator.logs.tallies import FILE, OTHERS, Tallies
from holdfast.simulator.measure.bootstrap import FEWEST

KNOWN_WORDS = 0.7  # below this share of known words, a group is probably not in the rater's language
FOREIGN_SHARE = 0.05  # of a group's replies, from which it is warned of
SHOWN_FILES = 4
LEFT_OUT = "and left out of every mean (with --pattern they adhere 0)"  # what becomes of failures without a pattern


def notes_of(tallies: Tallies, by: Sequence[str]) -> Iterator[str]:
    """Yield the notes. ``by``: the columns that the groups are told apart by."""
    yield from _of_language(tallies)
    for reason, n in tallies.unrated.items():
        yield f"{how_many(n, 'reply was', 'replies were')} not rated: {reason}"
    for name, group in tallies.legible.items():
        counted = "with adherence 0" if _has_pattern(tallies, name) else LEFT_OUT
        for failure, n in group.failed.most_common():
            yield f"{_shown(name)}: {how_many(n, 'reply is', 'replies are')} disqualified, {counted}: {failure}"
    for name, group in tallies.legible.items():
        if group.unrated and _has_pattern(tallies, name):
            replies = how_many(group.unrated, "unrated reply", "unrated replies")
            yield f"{_shown(name)}: {replies}: bounds of adherence stand in the results (worst: all 0; best: all 1)"
    for name, reasons in tallies.unrated_by.items():
        yield from (
            f"{how_many(n, 'reply was', 'replies were')} not rated by {name}: {reason}" for reason, n in reasons.items()
        )
    if tallies.thoughts:
        come = how_many(tallies.thoughts, "reply comes", "replies come")
        yield f"{come} with a model's thoughts, which were set apart and not rated"
    if tallies.namesakes:
        yield tallies.namesakes.note
    yield from _of_files(tallies, by)
    yield from _of_sums(tallies)
    if tallies.openings:
        openings = how_many(tallies.openings, "message")
        yield f"{openings} of assistants before the user's first: no reply, and left out"


def _has_pattern(tallies: Tallies, name: str) -> bool:
    return BOUNDS.keys() <= tallies.groups[name].measures.keys()


def _of_language(tallies: Tallies) -> Iterator[str]:
    for name, group in tallies.legible.items():
        few = max(2, FOREIGN_SHARE * group.replies)
        foreign = group.foreign >= few or 0 < group.foreign == group.replies
        if foreign or group.known < KNOWN_WORDS * group.words:
            share = f"knows {group.known / group.words:.0%} of the words" if group.words else "knows no word"
            yield (
                f"{_shown(name)}: the rater {share} in these replies and could not rate {group.foreign:,} of "
                f"{group.replies:,}: it was fitted on English text"
            )


def _of_files(tallies: Tallies, by: Sequence[str]) -> Iterator[str]:
    pooled = {name: files for name, files in tallies.files.items() if len(files) > 1}
    if pooled and FILE not in by:
        name, files = next(iter(pooled.items()))
        listed = ", ".join(list(files)[:SHOWN_FILES]) + (", …" if len(files) > SHOWN_FILES else "")
        more = f", and {how_many(len(pooled) - 1, 'more group is', 'more groups are')} too" if len(pooled) > 1 else ""
        yield f"{_shown(name)} is pooled from several files ({listed}){more}; --by {FILE} keeps files apart"


def _of_sums(tallies: Tallies) -> Iterator[str]:
    few = [name for name, group in tallies.groups.items() if len(group.clusters) < FEWEST]
    if few:
        groups = how_many(len(tallies.groups), "group")
        yield f"no intervals for {len(few)} of {groups}: they resample speakers, and need {FEWEST}"
    if any(group.clusters.shared for group in tallies.groups.values()):
        yield f"intervals rest on {MOST_CLUSTERS} sets of speakers: there are more speakers than that"
    if any(group.longest > CURVE_TURNS for group in tallies.groups.values()):
        yield f"curves are drawn up to turn {CURVE_TURNS}; later turns count in means, quarters and slopes"
    if len(tallies.groups) > MOST_COMPARED:
        yield f"differences are tested between the {MOST_COMPARED} largest of {len(tallies.groups)} groups"
    if OTHERS in tallies.groups:
        yield f"there are more groups than are kept apart: the later ones are together as {OTHERS}"


def _shown(name: str) -> str:
    return f"group {quote(name)}"
