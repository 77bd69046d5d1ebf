"""A user's tone: the persona's way of speaking, changed by emotion and poor turns."""

from holdfast.agents.protocols import UserState
from holdfast.agents.users.rules.speech import Tone
from holdfast.personas.schema import Persona

#: The user turns curt below this emotion (0-100), or after this many poor turns in a row.
CURT_EMOTION = 22.0
CURT_POOR_TURNS = 3
#: Unless the last turn was poor, the user turns warm from this emotion on, less up to WARMTH_EASES by temperament.
WARM_EMOTION = 75.0
WARMTH_EASES = 20.0


def tone_of(persona: Persona, state: UserState) -> Tone:
    """Return curt when emotion is low or turns were poor, warm when it is high, else the persona's own tone.

    A persona that speaks warmly turns plain, not curt, on low emotion alone: only poor turns make it curt.
    """
    if state.poor_turns >= CURT_POOR_TURNS:
        return "curt"
    if state.emotion < CURT_EMOTION:
        return "plain" if persona.speech == "warm" else "curt"
    if state.poor_turns == 0 and state.emotion >= WARM_EMOTION - WARMTH_EASES * persona.temperament.warmth:
        return "warm"
    return persona.speech
