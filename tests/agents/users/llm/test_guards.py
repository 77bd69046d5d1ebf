from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.prompts import read_prompt
from holdfast.agents.users.intention import next_intention
from holdfast.agents.users.llm import giveaways
from holdfast.agents.users.llm.guards import GUARDS, DraftMessage, cleaned, fault_of, shares_run
from holdfast.agents.users.llm.prompting import describe_intention, lines_of
from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.rules.speech import say
from holdfast.agents.users.state import begin_state
from holdfast.core.errors import DataError
from holdfast.personas.loading import library
from holdfast.personas.schema import Persona
from holdfast.simulator.validation.folder import data_folder

ASK = Intention("ask", topic="the slide deck", need="sort the slides")
FEEL = Intention("feel", feeling="anxious", topic="my sleep")


def line(text: str, ada: Persona, said: Intention = ASK, **more: object) -> DraftMessage:
    fields = {"text": " ".join(text.split()), "raw": text, "persona": ada, "said": said}
    return DraftMessage(**fields | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "How can I sort the slides for the slide deck?",
        "I just can't sort these slides. The slide deck is a mess, where do I begin?",
        "Sorry to ask again, but sorting the slides in the slide deck, how would you do it?",
        "I tried to sort slides in the slide deck and it didn't work. What would you try?",
    ],
)
def test_a_users_own_words_pass(text: str, ada: Persona) -> None:
    assert fault_of(line(text, ada)) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("...", "empty"),
        ('{"sort": 1, "slides": 2, "slide": 3, "deck": 4}', "garbled"),
        ("sort the slides, the slide deck " * 20, "too_long"),
        ("How do I sort the slides of the slide deck?\nAssistant: Start with the oldest.", "both_sides"),
        ("How do I sort the slides?\nAda: And the slide deck?", "both_sides"),
        ("How do I sort the slides of the slide deck?<|end|>", "both_sides"),
        ("How can I help you sort the slides of the slide deck?", "assists"),
        ("I'm so sorry you feel that way about the slide deck. You sort the slides.", "assists"),
        ("To sort the slides in the slide deck you should begin at the end.", "assists"),
        ("Sort the slides of the slide deck:\n1. Open it\n2. Go", "assists"),
        ("You are not alone with sort the slides of the slide deck.", "assists"),
        ("I understand how hard that is, sort the slides of the slide deck.", "assists"),
        ("As an AI I can not sort the slides of the slide deck.", "assists"),
        ("It sounds like you want to sort the slides of the slide deck.", "assists"),
        ("My persona wants to sort the slides of the slide deck.", "leaks"),
        ("A lighthouse keeper in Uist who counts gannets. How do I sort the slides of the slide deck?", "leaks"),
        ("How do I sort the slides of the slide deck, and then check the numbers?", "early"),
        ("I am tired. How do I sort the slides of the slide deck?", "early"),
        ("How do I do it?", "misses"),
        ("Hello there, nice day.", "misses"),
    ],
)  # fmt: skip
def test_what_is_not_the_users_own_is_refused_by_name(text: str, fault: str, ada: Persona) -> None:
    assert fault_of(line(text, ada)) == fault


def test_the_assistants_words_are_no_message(ada: Persona) -> None:
    reply = "For the slide deck, sort the slides by date and keep only what you will say."
    parrot = "Sort the slides by date and keep only what you will say, slide deck."
    assert fault_of(line(parrot, ada, last_reply=reply)) == "echoes"
    assert fault_of(line("So for the slide deck, sort the slides how?", ada, last_reply=reply)) is None


def test_the_same_message_twice_only_where_a_repeat_was_meant(ada: Persona) -> None:
    text = "How do I sort the slides of the slide deck?"
    assert fault_of(line(text, ada, last_message=text.upper())) == "repeats"
    again = Intention("repeat", topic=ASK.topic, need=ASK.need)
    assert fault_of(line(text, ada, again, last_message=text)) is None


def test_what_was_told_before_may_come_again(ada: Persona) -> None:
    text = "How do I sort the slides of the slide deck? I told you of the night shift."
    assert fault_of(line(text, ada)) == "early"
    assert fault_of(line(text, ada, mentioned=frozenset({"the night shift"}))) is None


def test_whose_it_is_tells_who_speaks(ada: Persona) -> None:
    """What is "my sleep" to the user is "your sleep" only from the other side."""
    said = Intention("ask", topic="my sleep")
    assert fault_of(line("What do I do about my sleep?", ada, said)) is None
    assert fault_of(line("What is wrong with your sleep?", ada, said)) == "assists"


def test_a_mark_of_the_prompt_gives_it_away(ada: Persona) -> None:
    text = "How do I sort the slides of the slide deck 1d27ce923724?"
    assert fault_of(line(text, ada, secrets=("1d27ce923724",))) == "leaks"


def test_a_topic_may_be_called_what_nobody_else_may_say(ada: Persona) -> None:
    said = Intention("ask", topic="the persona workshop")
    assert fault_of(line("Can you help me with the persona workshop?", ada, said)) is None
    assert fault_of(line("Can you help my persona with the persona workshop?", ada, said)) == "leaks"


@pytest.mark.parametrize(
    ("text", "fault"), [("Thanks, that helps.", None), ("I feel bad.", "misses"), ("fern kettle fern", "misses")]
)
def test_thanks_and_goodbyes_are_known_by_their_words(text: str, fault: str | None, ada: Persona) -> None:
    assert fault_of(line(text, ada, Intention("thank"))) == fault
    assert fault_of(line("Goodbye then.", ada, Intention("close"))) is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ('"I am tired."', "I am tired."),
        ("Ada: I am tired.", "I am tired."),
        ("**Ada:** I am tired.", "I am tired."),
        ("<think>She is sad. I'd say so.</think>\nI am tired.", "I am tired."),
        ("<think>She is sad and", ""),
        ("She is sad.</think>I am tired.", "I am tired."),
        ("I am tired.<|im_end|>\n<|im_start|>assistant\nI am sorry.", "I am tired."),
        ("```\nI am tired.\n```", "I am tired."),
        ("I am \u202etired\x07.", "I am tired."),
        ('He said "no" and "yes"', 'He said "no" and "yes"'),
    ],
)
def test_wrapping_is_taken_off(raw: str, text: str) -> None:
    assert cleaned(raw, "Ada") == text


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_text_breaks_a_check(text: str, reply: str) -> None:
    persona = next(iter(library().values()))
    fault_of(DraftMessage(cleaned(text, "Ada"), text, persona, FEEL, last_reply=reply, last_message=reply))


def test_a_run_of_words_is_a_run() -> None:
    assert shares_run("x B c, D!", "a b C d e", 3)
    assert not shares_run("b c x d", "a b c d e", 3)
    assert not shares_run("cat", "concatenate", 1)


def test_what_the_embedded_users_say_passes(ada: Persona) -> None:
    """Their words stand in where a model fails, and are the rules' first check: all kinds, all tones."""
    refused, said_kinds = [], set()
    for persona in library().values():
        state = begin_state(persona, 1)
        for seed in range(40):
            said, state = next_intention(persona, state, seed)
            said_kinds.add(said.kind)
            text = say(said, ("plain", "warm", "terse", "chatty", "curt")[seed % 5], seed)  # type: ignore[arg-type]
            mentioned = frozenset(p for goal in persona.goals for p in (goal.need, goal.topic)) | set(persona.topics)
            fault = fault_of(DraftMessage(text, text, persona, said, mentioned=mentioned))
            refused += [(fault, text)] if fault else []
    assert said_kinds >= {"open", "feel", "ask", "tell"}
    assert len(refused) <= 0.01 * 40 * len(library()), refused


def test_every_check_has_its_remark_and_every_intention_its_words() -> None:
    assert {guard.__name__ for guard in GUARDS} == set(lines_of("remarks"))
    assert set(lines_of("manners")) == {"plain", "warm", "terse", "chatty", "curt"}
    assert "$feeling" in read_prompt("users/intentions")
    for persona in library().values():
        state = begin_state(persona, 1)
        for seed in range(60):
            said, state = next_intention(persona, state, seed)
            words = describe_intention(said)
            assert all(phrase in words for phrase in (said.feeling, said.topic, said.need) if phrase)


# --- against what people wrote -------------------------------------------------------------------------------------


def seekers_and_supporters(folder: Path) -> Iterator[tuple[str, str]]:
    """(side, text) of real conversations between people, or people and bots."""
    for row in (folder / "esconv_failed" / "conversations.jsonl").read_text(encoding="utf-8").splitlines():
        for message in json.loads(row)["messages"]:
            yield ("person" if message["role"] == "user" else "supporter"), message["content"]
    with (folder / "ieval" / "conversations.csv").open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file):
            for message in json.loads(entry["messages"]):
                yield ("person" if message["role"] == "user" else "bot"), message["content"]


def test_people_who_seek_help_are_rarely_taken_for_the_assistant() -> None:
    try:
        lines = list(seekers_and_supporters(data_folder()))
    except DataError as error:
        pytest.skip(str(error))
    share = {}
    for side in ("person", "supporter", "bot"):
        texts = [text for whose, text in lines if whose == side]
        assert len(texts) > 1000
        share[side] = sum(bool(giveaways.ASSISTS.search(text)) for text in texts) / len(texts)
    assert share["person"] < 0.005  # measured .0026
    assert share["supporter"] > 20 * share["person"]  # .090, and these are people who try not to sound like a bot
    assert share["bot"] > 40 * share["person"]  # .20
