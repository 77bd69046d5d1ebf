"""Read and write holdfast's own journal: a study's run folder or its ``journal.sqlite``."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.felt.feelers import feelings
from holdfast.agents.users.protocol import Intention
from holdfast.core.errors import InputError, JournalError
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import shorten
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.rating import rate_texts
from holdfast.simulator.logs.records import Conversation, End
from holdfast.simulator.logs.turns import LogTurn, turns_of
from holdfast.simulator.logs.values import id_of, labels_of, number_of, planned_of, word_of
from holdfast.simulator.logs.writing import count_left_out
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

COLUMNS = ("candidate", "persona", "task")
IMPORTED = "imported"  # candidate, task or persona where a log names none
LEFT, PLEASED = (
    "user left",
    "satisfied",
)  # prefix of the stop reason of a user who leaves; a satisfied user's contains the second
FAILED = "patience"  # in the stop reason where the assistant failed the user; without either the end is neutral

_STOPS: dict[End, str] = {
    "failure": f"{LEFT}: patience ran out",
    "success": f"{LEFT}: {PLEASED}",
    "": "log ends",
}


def recognises(file: Glimpse) -> bool:
    """Whether the file is a run folder or an SQLite database."""
    return file.content == "journal"


@dataclass(frozen=True, slots=True)
class JournalReader:
    """Reads a journal, also while a run writes it."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        with Journal.read(path / JOURNAL if path.is_dir() else path) as journal:
            try:
                for episode in journal.episodes():
                    yield from _conversation(episode, str(path))
            except (JournalError, AttributeError, TypeError, ValueError) as error:  # rows that are not what we wrote
                yield SkippedLine(str(path), "file", "damaged journal: the rest was not read", shorten(str(error), 200))


def _conversation(episode: EpisodeRecord, place: str) -> Iterator[Conversation | SkippedLine]:
    spec = episode.spec
    draft = ConversationDraft(f"{place}:{word_of(spec.id)}")
    faults: list[tuple[str, str]] = []
    for number, turn in enumerate(episode.turns, start=1):
        labels = labels_of(_felt(turn), faults)
        emotion = number_of(turn.emotion)
        if emotion is not None and 0 <= emotion <= 100:
            labels["emotion"] = emotion
        where = f"{draft.place}, turn {number}"
        draft.say("user", {"content": turn.user}, where)
        draft.say("assistant", {"content": turn.reply}, where, labels=labels)
    draft.fault(draft.place, faults)
    if not episode.turns:
        why = "no turns yet" if episode.error is None else "failed before its first turn"
        yield SkippedLine(draft.place, "conversation", why)
        return
    desired = labels_of({"desired": episode.turns[0].state.get("desired")}, [])
    columns = {name: word_of(getattr(spec, name)) for name in COLUMNS}
    yield from draft.finish(
        id_of(spec.id),
        speaker=id_of(spec.persona if spec.persona != IMPORTED else ""),  # agents of one persona are one person
        columns={name: value for name, value in columns.items() if value and value != IMPORTED},
        labels=desired,
        planned=planned_of(spec.max_turns),
        end=_end(str(episode.turns[-1].stop or "")),
    )


def _felt(turn: TurnRecord) -> dict[str, float]:
    """What was felt, as labels: the feeler's one score; in a run without one, SENSE-7's dimensions by the formula."""
    said = next(iter(feelings(turn.ratings).values()), None)
    if said is not None:
        return dict.fromkeys(("empathy",) if said.counted else (), sum(said.counted.values()))
    return {name: turn.felt[name] for name in SENSE7 if name in turn.felt}


@dataclass(frozen=True, slots=True)
class JournalWriter:
    """Writes a run folder; replies are rated, since a journal holds the rating of each turn.

    A turn joins consecutive messages of one role. Without a study file, `holdfast report` cannot use the folder;
    `holdfast measure` can.
    """

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        if (path / JOURNAL).exists():
            raise InputError(f"{path}: holds a journal already; choose another --out")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path}: the run folder cannot be made ({error.strerror})") from error
        with Journal.create(path / JOURNAL, {"made_by": "holdfast convert"}) as journal:
            for number, conversation in enumerate(conversations):
                count_left_out(
                    conversation, left, labels=(*SENSE7, "emotion"), after=("desired",), columns=COLUMNS, tags=False
                )
                left["system messages"] += sum(m.role == "system" for m in conversation.messages)
                paired = turns_of(conversation.messages)
                left["openings, before the user speaks"] += paired.openings
                turns = [turn for turn in paired.turns if turn.reply]
                left["turns without a reply's text"] += len(paired.turns) - len(turns)
                if not turns:
                    left["conversations without a reply's text"] += 1
                    continue
                self._write(journal, conversation, number, turns)
        return +left

    def _write(self, journal: Journal, conversation: Conversation, number: int, turns: list[LogTurn]) -> None:
        spec = EpisodeSpec(
            persona=conversation.columns.get("persona") or conversation.speaker or IMPORTED,
            task=conversation.columns.get("task", IMPORTED),
            candidate=conversation.columns.get("candidate") or conversation.columns.get("model") or IMPORTED,
            replicate=number,
            max_turns=conversation.planned or len(turns),
        )
        journal.plan([spec])
        rated = rate_texts([[(turn.user, turn.reply) for turn in turns]])
        wanted = {"desired": conversation.labels["desired"]} if "desired" in conversation.labels else {}
        for place, (turn, rating) in enumerate(zip(turns, rated.ratings, strict=True), start=1):
            last = place == len(turns)
            record = TurnRecord(
                episode_id=spec.id,
                turn=place,
                user=turn.user,
                said=Intention(kind="tell"),
                reply=turn.reply,
                ratings={"linear": rating},
                felt={name: value for name, value in turn.labels.items() if name in SENSE7},
                emotion=turn.labels.get("emotion", -1.0),  # none: outside of the scale, and left out when read
                state=wanted,
                stop=_STOPS[conversation.end] if last else None,
            )
            journal.append(record)


def _end(stop: str) -> End:
    """Return how the conversation ended for the user, from its stop reason."""
    if not stop.startswith(LEFT):
        return ""
    return "success" if PLEASED in stop else "failure" if FAILED in stop else ""
