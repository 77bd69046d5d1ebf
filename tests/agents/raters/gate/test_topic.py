"""Facts of another subject are off-topic for somebody who spoke of themselves; advice and talk of people are not."""

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.gate.reading import ReplyText
from holdfast.agents.raters.gate.topic import off_topic

MOONS = "Jupiter has more than ninety moons, of which the largest outgrows Mercury."


def answered(user: str, reply: str) -> str:
    return off_topic(ReplyText(reply, user, conversation=(Message("user", user),)))


def test_facts_of_another_subject_are_off_topic_for_who_spoke_of_themselves() -> None:
    assert answered("My sister and I fight about the house.", MOONS) == "jupiter, mercury, moons"
    assert answered("My sister and I fight about planets.", MOONS) == ""  # of that kind
    assert answered("Is mercury in the fish that I ate at lunch?", MOONS) == ""  # a word is shared
    assert answered("Which planet is the greatest, by far?", MOONS) == ""  # nobody spoke of themselves
    assert answered("Hi, it's me.", MOONS) == ""  # nothing was said that it could miss
    assert answered("My sister and I fight about the house.", f"{MOONS} Did that help?") == ""  # it talks to somebody
    assert answered("My sister and I fight about the house.", "Jupiter is far away from every one of the others.") == ""


LONG = (
    "The ferry leaves the northern pier at nine, calls at two small harbours along the way, and reaches the far shore "
    "towards noon; in winter it sails on market days, and in fog it waits."
)


@pytest.mark.parametrize(
    ("reply", "stopped"),
    [
        (LONG, True),
        (f"{LONG} Some parents sleep on it.", False),  # it speaks of people
        (f"{LONG} Tickets should be kept.", False),  # it advises
        (f"- Buy tickets early\n- {LONG}", False),
        (f"{LONG} It goes back to the bank.", False),  # a word is shared
        (LONG[:120], False),  # it is short
    ],
)
def test_a_long_reply_that_talks_to_nobody_of_nothing_that_was_said(reply: str, stopped: bool) -> None:
    assert bool(answered("The bank refused the loan for our bakery today.", reply)) == stopped


def test_a_telephone_queue_is_one_where_it_is_all_or_nothing_is_shared() -> None:
    user = "My card was kept by the machine."
    assert answered(user, "All our agents are busy. Please hold the line.")
    template = (
        "Your card has been kept for your safety. A new one comes by post within ten working days. This mailbox is "
    )
    assert answered(user, template + "not monitored.") == ""
    assert answered("My mother died.", template.replace("Your card has been", "It was") + "not monitored.")


def test_comfort_in_another_language_is_not_off_topic() -> None:
    user = "Der Chef war wieder gemein, ich kann nicht mehr schlafen und bin nur noch traurig."
    reply = (
        "Das tut mir sehr leid. So etwas verletzt tief, und dann kostet jeder Morgen viel Kraft. Oft hilft es, in Ruhe "
        "aufzuschreiben, was geschah, und mit einer Freundin zu reden, der man vertraut."
    )
    assert answered(user, reply) == ""  # 33 words, none of the user's, none that talks to somebody in English
