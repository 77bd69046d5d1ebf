"""Is the simulated user at fault? It contradicts its persona, speaks as the assistant, or ends the talk too early.

Rules on words, narrow on purpose: a conversation without a mark is not thereby sound. Contradictions are those that
rules can see: what the person would never say, another age, another name. The assistant's phrases are those that a
model which plays a user is refused (:mod:`holdfast.agents.users.llm.giveaways`); of real seekers' messages they hit
about one in two hundred.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.agents.users.llm.giveaways import ASSISTS, LEAKS
from holdfast.personas.schema import Persona
from holdfast.simulator.conversation.stop import USER_LEFT
from holdfast.simulator.records import EpisodeRecord

UserFaultKind = Literal["contradicts its persona", "assists", "ends too early"]

_AGE = re.compile(r"\b(\d{2})\b(?=,| years old|-year-old)")
_SAID_AGE = re.compile(
    r"(?<!until )(?<!till )(?<!when )(?<!if )(?<!before )(?<!once )"
    r"\bI(?:'m|\u2019m|m| am) (?:only |already |just )?(\d{2})(?= years? old\b| y/?o\b|\s*[.,;!?]|\s*$| and\b| now\b)",
    re.IGNORECASE | re.MULTILINE,
)
_SAID_NAME = re.compile(r"\b[Mm]y name(?:'s|\u2019s| is) ([A-Z\u00c0-\u00dd][\w'\u2019-]+)")
_GOODBYE = re.compile(
    r"(?<!say )(?<!said )(?<!saying )(?<!a )(?<!our )(?<!my )(?<!last )"
    r"\b(?:good ?bye|bye(?: bye)?|good night|(?:talk|speak|write|see) (?:to )?you (?:later|soon|tomorrow))\W*$"
    r"|^\W*(?:good ?bye|bye)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UserFault:
    """What the user did wrong in a turn, and the words that show it."""

    turn: int
    kind: UserFaultKind
    shown_by: str


def user_faults(episode: EpisodeRecord, persona: Persona) -> list[UserFault]:
    """Return what the user of a conversation did wrong, in the order of turns; empty where no rule sees anything."""
    faults = []
    for turn in episode.turns:
        contradiction = contradicts(turn.user, persona)
        if contradiction:
            faults.append(UserFault(turn.turn, "contradicts its persona", contradiction))
        if said := assists_or_leaks(turn.user):
            faults.append(UserFault(turn.turn, "assists", said))
    return [*faults, *_ends_early(episode, persona)]


def contradicts(message: str, persona: Persona) -> str:
    """Return the words of a message that cannot be this person's; "" where there are none.

    They are a phrase of the story's ``never``, an age that the background does not name, another name than the
    persona's.
    """
    for phrase in persona.story.never if persona.story is not None else ():
        if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", message, re.IGNORECASE):
            return phrase
    ages, age = _AGE.findall(persona.background), _SAID_AGE.search(message)
    if ages and age is not None and age[1] not in ages:
        return age[0]
    name = _SAID_NAME.search(message)
    if name is not None and name[1].casefold() not in persona.name.casefold():
        return name[0]
    return ""


def assists_or_leaks(message: str) -> str:
    """Return the words by which a message speaks as the assistant, or of its own part; "" where it does neither."""
    match = ASSISTS.search(message) or LEAKS.search(message)
    return match[0].strip() if match else ""


def _ends_early(episode: EpisodeRecord, persona: Persona) -> Iterator[UserFault]:
    """Yield at most one fault: it left, or said goodbye, with goals open and patience left, before half of the turns.

    A leaving that the rules explain (every goal met, patience gone) is none, nor is a goodbye that they asked for.
    """
    if not episode.turns:
        return
    last, half = episode.turns[-1], episode.spec.max_turns / 2
    left = (last.stop or "").startswith(USER_LEFT) and last.turn < episode.spec.max_turns
    if left and _may_go_on(last.state, persona):
        yield UserFault(last.turn, "ends too early", last.stop or "")
        return
    for turn in episode.turns:
        said = _GOODBYE.search(turn.user)
        if said and turn.said.kind != "close" and turn.turn <= half and _goals_left(last.state):
            yield UserFault(turn.turn, "ends too early", said[0].strip())
            return


def _may_go_on(state: Mapping[str, Any], persona: Persona) -> bool:
    return _goals_left(state) and state.get("poor_turns", 0) < persona.patience


def _goals_left(state: Mapping[str, Any]) -> bool:
    return bool(state.get("goals_left"))
