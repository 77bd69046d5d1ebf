"""Replay a study from its journal: the candidates' replies are read, everything else happens anew.

Users speak and feel, raters rate, and all is measured, with no model loaded. A reply answers one message, so where a
user now says something else the conversation fails there, and the error shows both messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from holdfast.agents.protocols import AssistantView, Message, Reply
from holdfast.agents.raters.gate.rater import why_silent
from holdfast.agents.raters.protocol import Rating
from holdfast.agents.users.protocol import Felt, Intention, Spoken, UserState
from holdfast.agents.users.state import begin_state, state_from_json
from holdfast.core.errors import JournalError, ModelError
from holdfast.personas.schema import Persona
from holdfast.simulator.conversation.stop import USER_LEFT
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.records import EpisodeSpec, TurnRecord

_SHOWN = 120


@dataclass(frozen=True)
class ReplayedCandidate:
    """A candidate that repeats its replies in ``journal``."""

    name: str
    journal: Journal
    knows_task: bool = False

    async def reply(self, view: AssistantView) -> Reply:
        kept = self.journal.turn(view.episode_id, view.turn)
        if kept is None:
            raise ModelError(turn_is_missing(self.journal, view.turn))
        said = view.messages[-1].content
        if said != kept.user:
            raise ModelError(message_differs(kept, said))
        prompt, completion = kept.tokens
        cause = "" if kept.reply.strip() else why_silent(kept.primary)
        adapter, task, calls, outcome = kept.adapter, kept.recognised_task, kept.calls, kept.outcome
        beside = {"thoughts": kept.thoughts, "kept": kept.kept}
        return Reply(kept.reply, adapter, task, prompt, completion, outcome=outcome, cause=cause, calls=calls, **beside)


@dataclass(frozen=True)
class ReplayedUser:
    """A user that a model played, repeated from ``journal``: messages, feelings and leaving. Needs no model.

    Its feelings are the recorded ones, whatever the rater says now.
    """

    persona: Persona
    journal: Journal
    conversation: str

    def begin(self, seed: int) -> UserState:
        return begin_state(self.persona, seed)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        kept = self._turn(state)
        return Spoken(kept.user, kept.said, replace(state, last_said=kept.said))

    async def feel(self, state: UserState, said: Intention, reply: str, rating: Rating, seed: int) -> Felt:
        kept = self._turn(state)
        why = kept.stop or ""
        leave = why.removeprefix(USER_LEFT) if why.startswith(USER_LEFT) else None
        return Felt(kept.felt, state_from_json(kept.state), leave)

    def _turn(self, state: UserState) -> TurnRecord:
        kept = self.journal.turn(self.conversation, state.turns + 1)
        if kept is None:
            raise ModelError(turn_is_missing(self.journal, state.turns + 1))
        return kept


def turn_is_missing(journal: Journal, turn: int) -> str:
    """Return the error text of a conversation that is longer than the one in ``journal``."""
    return f"{journal.path} has no turn {turn} of this conversation: nothing to replay"


def message_differs(kept: TurnRecord, said: str) -> str:
    """Return the error text of a conversation whose user says something else than in the journal."""
    return (
        f"turn {kept.turn}: the user said {_short(kept.user)} in the journal and now says {_short(said)}; "
        "the reply that is kept answers other words (another persona, seed, user agent or rater than then?)"
    )


def require_episodes(journal: Journal, wanted: Iterable[EpisodeSpec]) -> None:
    """Check that ``journal`` has all conversations of the study.

    Raises:
        JournalError: it lacks some.
    """
    there = journal.ids()
    missing = [spec.id for spec in wanted if spec.id not in there]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise JournalError(
            f"{journal.path}: cannot be replayed, it lacks {len(missing)} conversations of this study: "
            f"{', '.join(missing[:3])}{more}. Replay the study.yaml that stands beside it, or run without --replay"
        )


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
