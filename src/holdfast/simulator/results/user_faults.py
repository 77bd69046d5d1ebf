"""Conversations in which the simulated user is at fault, and the headline without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from pydantic import Field

from holdfast.core.wording import how_many, shorten
from holdfast.personas.schema import Persona
from holdfast.simulator.measure.estimates import Count, ResultsPart
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.user_fault_rules import UserFaultKind, user_faults

SHOWN = 50  # marks that are kept


class UserFaultMark(ResultsPart):
    """One thing that a user did wrong. ``shown_by``: the words that show it."""

    episode: str
    turn: Count
    kind: UserFaultKind
    shown_by: str


class UserFaultResults(ResultsPart):
    """Is the user at fault? What rules on words see; a conversation without a mark is not thereby sound."""

    checked: Count = Field(description="Conversations with a turn, of personas that are known.")
    marked: Count = Field(description="Those in which the user contradicts its persona, assists, or ends too early.")
    by_kind: dict[str, Count] = Field(description="Conversations with each kind of fault.")
    marks: list[UserFaultMark] = Field(description=f"The first {SHOWN}.")
    left_out: Count = Field(description="Marks beyond those.")
    headline_without: str = Field(description="The study's finding without the marked ones; empty where there is none.")

    @property
    def in_words(self) -> str:
        """One line: how many are marked, and for what."""
        if not self.marked:
            return f"no user is seen at fault in {how_many(self.checked, 'conversation')}"
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self.by_kind.items())
        return f"the user is at fault in {self.marked:,} of {how_many(self.checked, 'conversation')} ({kinds})"


def user_fault_results(
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    headline_of: Callable[[Sequence[EpisodeRecord]], str],
) -> UserFaultResults:
    """Mark conversations, and measure the others again where some are marked.

    ``personas``: by id, and variants by the agent's id: how long one waits is the variant's patience.
    ``headline_of``: the finding over some of the conversations.
    """
    checked = sorted((each for each in episodes if each.turns and each.spec.persona in personas), key=_id)
    faults = {
        each.spec.id: user_faults(each, personas.get(each.spec.agent) or personas[each.spec.persona])
        for each in checked
    }
    marked = {id for id, wrong in faults.items() if wrong}
    counts = Counter(kind for wrong in faults.values() for kind in {fault.kind for fault in wrong})
    marks = [
        UserFaultMark(episode=id, turn=fault.turn, kind=fault.kind, shown_by=shorten(fault.shown_by, 80))
        for id, wrong in faults.items()
        for fault in wrong
    ]
    kept = [each for each in episodes if each.spec.id not in marked]
    return UserFaultResults(
        checked=len(checked),
        marked=len(marked),
        by_kind=dict(sorted(counts.items())),
        marks=marks[:SHOWN],
        left_out=len(marks[SHOWN:]),
        headline_without=headline_of(kept) if marked else "",
    )


def _id(episode: EpisodeRecord) -> str:
    return episode.spec.id
