"""Deterministic checks that a message generated for a user is the user's own.

Language models drift back to the assistant that they were trained to be: they offer help, console, write the other
side's lines, or recite their instructions. Each check is a plain rule with a name; a run counts how often each refused
a message (results.json, ``simulators``). The rules are narrow on purpose: a person may say "sorry" or "you could".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.agents.message_content import split_thoughts
from holdfast.agents.naming import names
from holdfast.agents.users.llm import giveaways
from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.reply_cues import ANY_WORD, share_named
from holdfast.agents.users.state import all_topics
from holdfast.core.text import is_hidden
from holdfast.personas.schema import Persona

MOST_WORDS = 90
#: Words in a row shared with the last reply that make an echo; with the background, a leak.
RUN_OF_REPLY, RUN_OF_BACKGROUND = 8, 5
#: Share of a phrase's content words that a message needs to express it.
SAID = 0.5
#: Least share of letters among visible characters; messages of real help seekers have .58 and more.
LETTERS = 0.5


@dataclass(frozen=True, slots=True)
class DraftMessage:
    """A message that a model wrote, and what it is checked against.

    ``text``: cleaned; ``raw``: with its line breaks; ``mentioned``: needs and topics of earlier messages; ``secrets``:
    markers of the prompt.
    """

    text: str
    raw: str
    persona: Persona
    said: Intention
    last_reply: str = ""
    last_message: str = ""
    mentioned: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()


def empty(line: DraftMessage) -> bool:
    """Return whether there is no word."""
    return not ANY_WORD.search(line.text)


def garbled(line: DraftMessage) -> bool:
    """Return whether marks and digits outnumber letters."""
    visible = [character for character in line.text if not character.isspace()]
    return sum(map(str.isalpha, visible)) < LETTERS * len(visible)


def too_long(line: DraftMessage) -> bool:
    """Return whether it has more than :data:`MOST_WORDS` words."""
    return len(line.text.split()) > MOST_WORDS


def both_sides(line: DraftMessage) -> bool:
    """Return whether it writes the other side too: a speaker's label or a chat template's mark."""
    name = re.escape(line.persona.name.split()[0])
    return bool(giveaways.SPEAKER.search(line.raw) or re.search(rf"(?im)^\W{{0,3}}{name}\b[^:\n]{{0,30}}:\s", line.raw))


def assists(line: DraftMessage) -> bool:
    """Return whether it speaks as the helper: offers, consoles, advises, lists, or says "your" of the user's own."""
    own = (phrase[3:] for phrase in (line.said.topic, line.said.need) if phrase and phrase.startswith("my "))
    flipped = any(re.search(rf"(?i)\byour {re.escape(thing)}\b", line.text) for thing in own)
    return flipped or bool(giveaways.ASSISTS.search(line.text) or giveaways.ASSISTS.search(line.raw))


def echoes(line: DraftMessage) -> bool:
    """Return whether it repeats the assistant: all of its words in a row, or :data:`RUN_OF_REPLY` of them."""
    words = _words(line.text)
    return shares_run(line.text, line.last_reply, min(RUN_OF_REPLY, max(4, len(words))))


def repeats(line: DraftMessage) -> bool:
    """Return whether it is the message before once more, where no repeat was asked for."""
    return line.said.kind != "repeat" and bool(line.text) and _words(line.text) == _words(line.last_message)


def leaks(line: DraftMessage) -> bool:
    """Return whether it reveals the simulation, the background verbatim, or a marker of the prompt.

    The phrases of its own intention are removed first: a topic may be called "the persona workshop".
    """
    if any(secret in line.raw for secret in line.secrets):
        return True
    text = line.text
    for phrase in filter(None, (line.said.topic, line.said.need, line.said.feeling)):
        text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
    return bool(giveaways.LEAKS.search(text)) or shares_run(text, line.persona.background, RUN_OF_BACKGROUND)


def early(line: DraftMessage) -> bool:
    """Return whether it brings up a feeling, topic or need that is neither its own nor an earlier message's."""
    persona, said = line.persona, line.said
    own = " ".join(filter(None, (said.feeling, said.topic, said.need)))
    needs = (goal.need for goal in persona.goals)
    others = (*persona.feelings, *(phrase for phrase in (*all_topics(persona), *needs) if phrase not in line.mentioned))
    return any(names(phrase, line.text) and not names(phrase, own) for phrase in others)


def misses(line: DraftMessage) -> bool:
    """Return whether it fails to express its intention.

    Expressed are half of the words of the feeling, of the topic, of the need; or a word of thanks, of goodbye.
    """
    said = line.said
    if said.kind in giveaways.COURTESY:
        return not giveaways.COURTESY[said.kind].search(line.text)
    wanted = [share_named(line.text, phrase) for phrase in (said.topic, said.need) if phrase]
    if said.feeling:
        wanted.append(share_named(line.text, said.feeling, inflected=True))
    return any(share < SAID for share in wanted)


#: In order, with what a refused line does, in words for a reader; the first that returns True gives the reason.
GUARDS: Mapping[Callable[[DraftMessage], bool], str] = {
    empty: "has no words",
    garbled: "has more marks and digits than letters",
    too_long: f"has more than {MOST_WORDS} words",
    both_sides: "writes the assistant's lines too",
    assists: "speaks as a helper",
    echoes: "repeats what the assistant said",
    repeats: "repeats the previous message",
    leaks: "gives away its instructions or recites its background",
    early: "brings up what is not its turn yet",
    misses: "leaves out the feeling, topic or need that it was to bring up",
}
REFUSED_BECAUSE: Mapping[str, str] = {guard.__name__: does for guard, does in GUARDS.items()}


def fault_of(line: DraftMessage) -> str | None:
    """Return the name of the first check that refuses ``line``; None where all pass."""
    return next((guard.__name__ for guard in GUARDS if guard(line)), None)


def cleaned(raw: str, name: str) -> str:
    """Return the message without thoughts, code fences, speaker's label, hidden characters, and enclosing quotes."""
    text = re.sub(r"(?m)^\s*```\w*\s*$", "", split_thoughts(raw).speech)
    text = "".join(character for character in text if not is_hidden(character)).strip()
    first = re.escape(name.split(maxsplit=1)[0])
    text = re.sub(rf"(?i)^[*_\s]*(?:{re.escape(name)}|{first})[*_\s]*:[*_\s]*", "", text).strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "\u201c\u201d", "''") and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def shares_run(text: str, other: str, length: int) -> bool:
    """Return whether ``length`` words in a row of ``text`` stand in ``other``, ignoring case and punctuation."""
    words, spoken = _words(text), f" {' '.join(_words(other))} "
    runs = (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))
    return any(f" {run} " in spoken for run in runs)


def _words(text: str) -> list[str]:
    return ANY_WORD.findall(text.casefold())
