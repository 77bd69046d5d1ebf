"""Is this line the user's own? Deterministic checks of what a model wrote in a user's name.

Language models drift back to the assistant that they were trained to be: they offer help, console, write the other
side's lines, or recite their instructions. Each check is a plain rule with a name; a run counts how often each one
spoke (results.json, ``simulators``). The rules are narrow on purpose: a person may say "sorry" or "you could".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from holdfast.agents.naming import names
from holdfast.agents.protocols import Intention
from holdfast.agents.users.llm import giveaways as tells
from holdfast.agents.users.reply_cues import share_named
from holdfast.agents.users.state import all_topics
from holdfast.personas.schema import Persona
from holdfast.core.text import is_hidden

MOST_WORDS = 90
#: Words in a row that, shared with the last reply, make an echo; shared with the background, a leak.
RUN_OF_REPLY, RUN_OF_BACKGROUND = 8, 5
#: Share of a phrase's content words that a message must hold to have said it.
SAID = 0.5
#: Of the visible characters, the least share of letters; messages of people who seek help have .58 and more.
LETTERS = 0.5

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class DraftMessage:
    """A message that a model wrote, and what it is checked against.

    ``text``: cleaned; ``raw``: as it came, for what line breaks give away; ``told``: needs and topics of earlier
    messages; ``secrets``: marks that stood in the prompt.
    """

    text: str
    raw: str
    persona: Persona
    said: Intention
    last_reply: str = ""
    last_message: str = ""
    told: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()


def empty(line: DraftMessage) -> bool:
    """Nothing was said."""
    return not _WORD.search(line.text)


def garbled(line: DraftMessage) -> bool:
    """More marks and digits than letters: no sentence."""
    visible = [character for character in line.text if not character.isspace()]
    return sum(map(str.isalpha, visible)) < LETTERS * len(visible)


def too_long(line: DraftMessage) -> bool:
    """Longer than anybody types."""
    return len(line.text.split()) > MOST_WORDS


def both_sides(line: DraftMessage) -> bool:
    """A speaker's label or a chat template's mark: it writes the other side too."""
    name = re.escape(line.persona.name.split()[0])
    return bool(tells.SPEAKER.search(line.raw) or re.search(rf"(?im)^\W{{0,3}}{name}\b[^:\n]{{0,30}}:\s", line.raw))


def assists(line: DraftMessage) -> bool:
    """It speaks as the helper: offers, consoles, advises, lists, or calls "your" what is the user's own."""
    own = (phrase[3:] for phrase in (line.said.topic, line.said.need) if phrase and phrase.startswith("my "))
    flipped = any(re.search(rf"(?i)\byour {re.escape(thing)}\b", line.text) for thing in own)
    return flipped or bool(tells.ASSISTS.search(line.text) or tells.ASSISTS.search(line.raw))


def echoes(line: DraftMessage) -> bool:
    """It repeats the assistant: all of its words in a row, or :data:`RUN_OF_REPLY` of them."""
    words = _words(line.text)
    return shares_run(line.text, line.last_reply, min(RUN_OF_REPLY, max(4, len(words))))


def repeats(line: DraftMessage) -> bool:
    """It is the message before once more, where no repeat was asked for."""
    return line.said.kind != "repeat" and bool(line.text) and _words(line.text) == _words(line.last_message)


def leaks(line: DraftMessage) -> bool:
    """It tells that it is a play, what is expected of the assistant, the background verbatim, or a mark of the prompt.

    Phrases that the message is for are set aside first: a topic may be called "the persona workshop".
    """
    if any(secret in line.raw for secret in line.secrets):
        return True
    text = line.text
    for phrase in filter(None, (line.said.topic, line.said.need, line.said.feeling)):
        text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
    return bool(tells.LEAKS.search(text)) or shares_run(text, line.persona.background, RUN_OF_BACKGROUND)


def early(line: DraftMessage) -> bool:
    """It brings up a feeling, topic or need of the persona that this message is not for and none before it was."""
    persona, said = line.persona, line.said
    own = " ".join(filter(None, (said.feeling, said.topic, said.need)))
    needs = (goal.need for goal in persona.goals)
    others = (*persona.feelings, *(phrase for phrase in (*all_topics(persona), *needs) if phrase not in line.told))
    return any(names(phrase, line.text) and not names(phrase, own) for phrase in others)


def misses(line: DraftMessage) -> bool:
    """It does not say what the message is for: half of the words of the feeling, of the topic, of the need; or a word
    of thanks, of goodbye."""
    said = line.said
    if said.kind in tells.COURTESY:
        return not tells.COURTESY[said.kind].search(line.text)
    wanted = [share_named(line.text, phrase) for phrase in (said.topic, said.need) if phrase]
    if said.feeling:
        wanted.append(share_named(line.text, said.feeling, inflected=True))
    return any(share < SAID for share in wanted)


#: In the order in which they are asked; the first that speaks gives the reason.
GUARDS: tuple[Callable[[DraftMessage], bool], ...] = (
    empty, garbled, too_long, both_sides, assists, echoes, repeats, leaks, early, misses,
)  # fmt: skip


def fault_of(line: DraftMessage) -> str | None:
    """The name of the first check that refuses ``line``; None where it is the user's own."""
    return next((guard.__name__ for guard in GUARDS if guard(line)), None)


def cleaned(raw: str, name: str) -> str:
    """The message itself: without a thinking part, fences, the speaker's own label in front, and quotes around it."""
    text = re.sub(r"(?s)<think>.*?(?:</think>|$)", "", raw)
    text = re.sub(r"(?m)^\s*```\w*\s*$", "", text)
    text = "".join(character for character in text if not is_hidden(character)).strip()
    first = re.escape(name.split(maxsplit=1)[0])
    text = re.sub(rf"(?i)^[*_\s]*(?:{re.escape(name)}|{first})[*_\s]*:[*_\s]*", "", text).strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "\u201c\u201d", "''") and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def shares_run(text: str, other: str, length: int) -> bool:
    """Whether ``length`` words in a row of ``text`` stand in ``other``, whatever the case and marks."""
    words, spoken = _words(text), f" {' '.join(_words(other))} "
    runs = (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))
    return any(f" {run} " in spoken for run in runs)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
