from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.adapters.dialogues.filtering import Flaw, Standard, count_kept, flaws, says_again, usable_turns
from holdfast.agents.raters.protocol import expressed
from holdfast.agents.users.protocol import Intention
from holdfast.personas.schema import MechanismLevels

WARM = MechanismLevels(emotional_reaction=2, interpretation=1, exploration=0)
STANDARD = Standard(WARM, 0.7, frozenset({"anxious", "tired"}), frozenset({"the report", "the slides", "the bug"}))
ON_TARGET = expressed(2, 1, 0)
FELT = Intention("feel", feeling="anxious", topic="the report")


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("I am so sorry about the report.", ()),
        ("It is natural to be Anxious.", ()),
        ("I see.", ("names_nothing_said",)),
        ("I am sorry that the report makes you tired.", ("names_another_feeling",)),
        ("The report is like the bug.", ("names_another_topic",)),
        ("The bug makes you tired.", ("names_nothing_said", "names_another_feeling", "names_another_topic")),
        ("  ", ("empty",)),
    ],
)
def test_what_a_reply_may_name(reply: str, found: tuple[Flaw, ...]) -> None:
    assert flaws(FELT, reply, ON_TARGET, STANDARD) == found


@pytest.mark.parametrize(
    ("reply", "named"),
    [("I am sorry for your anxious day.", True), ("What a long report.", True), ("You reported it.", True),
     ("That is hard.", False)],
)  # fmt: skip
def test_a_writer_with_words_of_its_own_names_a_thing_by_its_last_word_too(reply: str, named: bool) -> None:
    said = Intention("feel", feeling="guilty", topic="the report") if "report" in reply else FELT
    assert ("names_nothing_said" not in flaws(said, reply, ON_TARGET, STANDARD)) == named


def test_an_ending_makes_no_difference_to_writers_with_words_of_their_own() -> None:
    said = Intention("feel", feeling="guilty", topic="the empty posts")
    assert flaws(said, "I am so sorry for your guilt.", ON_TARGET, STANDARD) == ()
    theirs = replace(STANDARD, own_words=False)
    assert flaws(said, "I am so sorry for your guilt.", ON_TARGET, theirs) == ("names_nothing_said",)
    assert flaws(said, "I am so sorry that you feel guilty.", ON_TARGET, theirs) == ()


def test_what_was_said_before_is_said_again_in_the_same_words_or_most_of_them() -> None:
    before = "I am so sorry about the long drive home to your mother."
    assert says_again(before.upper(), "Hi.", ["Well.", before])
    assert says_again("Oh, I am so sorry about the long drive home to your mother.", "Hi.", [before])
    assert not says_again("I am so sorry about the report that you lost.", "I lost the report.", [before])
    assert not says_again(before, "Hi.", [])


@pytest.mark.parametrize(
    ("reply", "again"),
    [
        ("The narrator is here.\n\nThe narrator is here.", True),  # itself
        ("Well, go on. I am so sorry, my friend.", True),  # six words of nine
        ("I am so sorry, my friend. What kind of refusal was it, and by whom?", False),  # six of fifteen
    ],
)
def test_half_a_reply_of_old_sentences_is_an_old_reply(reply: str, again: bool) -> None:
    assert says_again(reply, "Hi.", ["I am so sorry, my friend. Do you want to talk?"]) == again


def test_a_low_score_and_a_cut_reply_are_flaws() -> None:
    assert flaws(FELT, "The report.", expressed(0, 0, 0), STANDARD, finished=False) == ("unfinished", "low_adherence")


def test_a_disqualified_reply_is_never_kept() -> None:
    loop = replace(ON_TARGET, disqualified="loop")
    assert "disqualified" in flaws(FELT, "You feel tired about the report.", loop, replace(STANDARD, min_adherence=0.0))


def test_a_message_that_names_nothing_asks_for_no_naming() -> None:
    assert flaws(Intention("thank"), "You are welcome.", ON_TARGET, STANDARD) == ()


def test_a_need_may_hold_another_topics_words() -> None:
    asked = Intention("ask", topic="the report", need="sort the slides")
    assert flaws(asked, "To sort the slides, make a list.", ON_TARGET, STANDARD) == ()


def test_a_plain_pattern_asks_for_no_naming_but_forbids_wrong_names() -> None:
    plain = Standard(
        MechanismLevels(emotional_reaction=0, interpretation=0, exploration=0), 0.7, STANDARD.feelings, own_words=False
    )
    assert flaws(FELT, "You can make a list.", expressed(0, 0, 0), plain) == ()
    assert flaws(FELT, "You are tired.", expressed(0, 0, 0), plain) == ("names_another_feeling",)
    other = replace(plain, own_words=True)  # of whom the emptiest reply would adhere best
    assert flaws(FELT, "You can make a list.", expressed(0, 0, 0), other) == ("names_nothing_said",)
    assert flaws(FELT, "You can print the report.", expressed(0, 0, 0), other) == ()


def test_a_share_of_sentence_frames_is_never_learned_from_whatever_they_name() -> None:
    """Another feeling and topic in the same sentence are the same frame."""
    openings = [
        f"{word} sorry about" for word in ("so", "very", "really", "truly", "deeply", "awfully", "quite", "oh so")
    ]
    some = replace(STANDARD, held_out_share=0.5)
    out = [flaws(FELT, f"{each} the report.", ON_TARGET, some) == ("held_out_frame",) for each in openings]
    slides = Intention("tell", topic="my slides")
    assert out == [flaws(slides, f"{each} your slides.", ON_TARGET, some) == ("held_out_frame",) for each in openings]
    assert 0 < sum(out) < len(openings)
    assert flaws(FELT, " ".join(f"{each} the report." for each in openings), ON_TARGET, some) == ("held_out_frame",)
    other = replace(some, split_seed=1)
    assert out != [flaws(FELT, f"{each} the report.", ON_TARGET, other) == ("held_out_frame",) for each in openings]


def test_a_dialogue_ends_before_its_first_bad_turn() -> None:
    assert usable_turns([(), (), ("empty",), ()]) == 2
    assert usable_turns([(), ()]) == 2
    assert usable_turns([]) == 0


def test_the_tally_by_hand() -> None:
    whole: list[tuple[Flaw, ...]] = [(), (), ()]
    cut: list[tuple[Flaw, ...]] = [(), (), ("low_adherence", "names_nothing_said"), ("empty",)]
    dropped: list[tuple[Flaw, ...]] = [("low_adherence",), (), ()]
    counts = count_kept([whole, cut, dropped], 2, failed=1)
    assert counts.dialogues == {"held": 3, "kept": 2, "cut": 1, "dropped": 1, "failed": 1}
    assert counts.turns == {"held": 10, "kept": 5}
    assert counts.flaws == {"low_adherence": 2, "names_nothing_said": 1}
