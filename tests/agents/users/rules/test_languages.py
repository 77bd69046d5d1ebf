"""Embedded users in other languages: every kind of message, and replies read by that language's words."""

from __future__ import annotations

import random

import pytest

from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.reply_cues import cues_of, gives_steps, share_named
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.rules.speech import load_phrases, say
from holdfast.core.language import likely_language
from holdfast.personas.checks import language_doubt, languages
from holdfast.personas.loading import library
from holdfast.personas.schema import Persona

ROSA = Persona.model_validate(
    {
        "id": "rosa",
        "name": "Rosa",
        "task": "burnout",
        "language": "es",
        "background": "Auxiliar de enfermería, 38 años, en Zaragoza. Lleva tres noches seguidas en urgencias.",
        "speech": "warm",
        "goals": [{"id": "turno", "need": "cambiar el turno", "topic": "la noche del viernes"}],
        "feelings": ["agotada", "preocupada"],
        "topics": ["la fiebre de mi hijo", "el turno de noche"],
        "desired_empathy": 3,
    }
)


@pytest.mark.parametrize("language", languages())
def test_a_language_says_all_that_english_says(language: str) -> None:
    ours, english = load_phrases(language), load_phrases("en")
    assert ours.frames.keys() == english.frames.keys()
    assert ours.tones.keys() == english.tones.keys()
    for kind, frames in ours.frames.items():
        slots = {frame.slots for frame in frames}
        assert {frame.slots for frame in english.frames[kind]} <= slots, kind
        assert len({frame.text for frame in frames}) == len(frames)


async def test_a_whole_conversation_is_in_spanish() -> None:
    user = EmbeddedUser(ROSA)
    state, heard = user.begin(1), []
    for seed in range(30):
        spoken = await user.speak(state, (), seed)
        heard.append(spoken.text)
        state = spoken.state
    assert likely_language(" ".join(heard), 0.99) == "es"
    assert len(set(heard)) > 20
    assert not any("{" in text for text in heard)
    assert not any(text in " ".join(heard) for text in (" de el ", " a el "))


def test_every_kind_of_message_can_be_said() -> None:
    rng = random.Random(3)
    for kind in ("open", "feel", "ask", "tell", "repeat", "thank", "close"):
        said = Intention(kind, feeling="agotada", topic="el turno", need=None if kind == "feel" else "descansar")  # type: ignore[arg-type]
        assert say(said, "chatty", rng.getrandbits(30), "es")


@pytest.mark.parametrize(
    "reply",
    [
        "Llame al centro de salud.",
        "Primero, tome la temperatura.",
        "Usted podría descansar una hora.",
        "Le recomiendo beber agua.",
        "Por favor, espere en la sala.",
        "Entiendo. Luego revise la fiebre.",
    ],
)
def test_steps_are_heard_in_spanish(reply: str) -> None:
    assert gives_steps(reply, "es")
    assert not gives_steps(reply, "en")


@pytest.mark.parametrize("reply", ["Siento mucho lo que cuenta.", "¿Podría descansar?", "Eso suena muy duro."])
def test_no_steps_are_heard_where_there_are_none(reply: str) -> None:
    assert not gives_steps(reply, "es")


def test_names_are_found_without_their_little_words() -> None:
    assert share_named("El turno la agota.", "el turno de noche", language="es") == 0.5  # turno, noche
    cues = cues_of(
        Intention("ask", topic="la fiebre", need="bajar la fiebre"), "Para la fiebre, llame al 061.", (), "es"
    )
    assert (cues.topic, cues.steps, cues.asked) == (1.0, True, True)


def test_words_of_another_language_are_noticed() -> None:
    assert language_doubt(ROSA) == ""
    doubt = language_doubt(ROSA.model_copy(update={"language": "en"}))
    assert "look like 'es', and it speaks 'en'; write 'language: es'" in doubt
    assert [id for id, persona in library().items() if language_doubt(persona)] == []
