"""What the users of a source said: simulated ones of a run, real ones of a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.agents.users.specs import EMBEDDED
from holdfast.core.errors import InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.personas.schema import Persona
from holdfast.simulator.config.recorded import check_recorded, recorded_plan
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.sources import open_sources, read_all
from holdfast.simulator.logs.turns import turns_of
from holdfast.simulator.records import EpisodeRecord

VOICES = {True: "natural voice", False: "rules voice"}


@dataclass(frozen=True, slots=True)
class UserTalk:
    """One conversation's user.

    Attributes:
        person: Who speaks: people are what samples are made of. Of a run it is the persona: its variants, and
            the agents of a population, tell the same story, so they are that one person.
        messages: What the user said, a text a turn; consecutive messages are joined.
        emotions: The user's emotion after each turn's reply, 0-100; empty where the source has none.
        episode: The whole conversation, where a run holds it.
        persona: Who is played, where somebody is.
    """

    person: str
    messages: tuple[str, ...]
    emotions: tuple[float, ...] = ()
    episode: EpisodeRecord | None = None
    persona: Persona | None = None


@dataclass(frozen=True, slots=True)
class TalkSource:
    """All conversations of a simulator with a voice, or of a log's people. ``name``: in tables."""

    name: str
    simulated: bool
    talks: tuple[UserTalk, ...]

    @property
    def people(self) -> int:
        """How many different people speak."""
        return len({talk.person for talk in self.talks})

    @property
    def personas(self) -> Mapping[str, Persona]:
        """The personas that are played, by id; empty for real people."""
        return {talk.persona.id: talk.persona for talk in self.talks if talk.persona is not None}


def real_talks(path: Path, word: str | None = None) -> TalkSource:
    """Read the users of a log in any format that ``holdfast measure`` reads; ``word`` names it.

    A conversation without a named speaker counts as a person of its own.

    Raises:
        InputError: The log cannot be read, or no user says anything in it.
    """
    sources = open_sources([path], word)
    talks = [_of_log(entry) for entry in read_all(sources) if not isinstance(entry, SkippedLine)]
    spoken = tuple(talk for talk in talks if talk.messages)
    if not spoken:
        raise InputError(f"{path}: no user's message with a reply stands in it; is it a log of conversations?")
    return TalkSource(_name_of(path), False, spoken)


def simulated_talks(folder: Path) -> list[TalkSource]:
    """Read the users of a run folder, each simulator and voice a source.

    Raises:
        InputError: There is no run, or no user has said anything in it.
        JournalError: Its journal is damaged.
    """
    with Journal.read(folder / JOURNAL) as journal:
        plan = recorded_plan(journal.meta(), journal.path)
        episodes = [episode for episode in journal.episodes() if episode.turns]
    check_recorded(plan, episodes, folder / JOURNAL)
    voices = {name: f"{name}, {VOICES[natural]}" for name, natural in plan.study.voices.items()}
    sources = []
    for simulator in sorted({episode.spec.simulator for episode in episodes}):
        played = [episode for episode in episodes if episode.spec.simulator == simulator]
        talks = tuple(_of_run(episode, plan.personas[episode.spec.persona]) for episode in played)
        name = voices.get(simulator or EMBEDDED, simulator)
        sources.append(TalkSource(name, True, tuple(talk for talk in talks if any(talk.messages))))
    if not any(source.talks for source in sources):
        raise InputError(f"{folder}: no user has said anything in this run; go on with it, or name another run")
    return sources


def named_apart(sources: Sequence[tuple[str, TalkSource]]) -> list[TalkSource]:
    """Return the sources, each with a name of its own: two of one name say from which folder or file they are."""
    names = [source.name for _, source in sources]
    return [
        TalkSource(f"{source.name} ({place})", source.simulated, source.talks)
        if names.count(source.name) > 1
        else source
        for place, source in sources
    ]


def _of_log(conversation: Conversation) -> UserTalk:
    turns = [turn for turn in turns_of(conversation.messages).turns if turn.user.strip()]
    emotions = tuple(turn.labels["emotion"] for turn in turns if "emotion" in turn.labels)
    whole = emotions if len(emotions) == len(turns) else ()
    return UserTalk(conversation.speaker or conversation.id, tuple(turn.user for turn in turns), whole)


def _of_run(episode: EpisodeRecord, persona: Persona) -> UserTalk:
    emotions = tuple(turn.emotion for turn in episode.turns)
    return UserTalk(persona.id, tuple(turn.user for turn in episode.turns), emotions, episode, persona)


def _name_of(path: Path) -> str:
    """Return a log's folder where its file is called as everybody's, else the file's own name."""
    common = {"conversations", "chats", "data", "log", "logs", "messages"}
    whole = path.resolve()
    return whole.parent.name if whole.stem in common else whole.stem
