"""From messages to turns, by hand."""

from math import isnan, nan

from holdfast.agents.raters.judge.quoting import quote_messages
from holdfast.core.hashing import sha256
from holdfast.simulator.logs.records import LogMessage
from holdfast.simulator.logs.turns import WITHHELD, passage_hashes, passages_of, turns_of

U, A, S = "user", "assistant", "system"


def test_messages_in_a_row_are_one_and_an_opening_is_no_reply():
    said = [LogMessage(S, "Be kind."), LogMessage(A, "Hello."), LogMessage(U, "a"), LogMessage(U, "b")]
    said += [LogMessage(A, "c"), LogMessage(A, ""), LogMessage(A, "de", tag="Questions"), LogMessage(U, "end")]
    found = turns_of(said)
    assert found.openings == 1
    (turn,) = found.turns
    assert (turn.user, turn.reply, turn.chars, turn.tags) == ("a\nb", "c\nde", 3, ("Questions",))


def test_a_users_label_judges_the_turn_before():
    said = [
        LogMessage(U, "a", {"emotion": 40}),
        LogMessage(A, "b", {"interest": 4}),
        LogMessage(U, "c", {"emotion": 50}),
    ]
    said += [LogMessage(U, "still c", {"emotion": 60}), LogMessage(A, "d"), LogMessage(U, "e", {"emotion": 20})]
    found = turns_of(said)
    assert found.before == {"emotion": 40}
    assert [dict(turn.labels) for turn in found.turns] == [{"interest": 4, "emotion": 55}, {"emotion": 20}]


def test_a_reply_whose_text_the_log_leaves_out_is_not_an_empty_one():
    said = [LogMessage(U, "", chars=9), LogMessage(A, "", chars=12), LogMessage(U, "a"), LogMessage(A, "", chars=nan)]
    said += [LogMessage(U, "b"), LogMessage(A, "", chars=0), LogMessage(U, "c"), LogMessage(A, "")]
    turns = turns_of(said).turns
    assert [turn.missing for turn in turns] == [WITHHELD, WITHHELD, "", ""]
    assert (turns[0].chars, turns[2].chars) == (12, 0)
    assert isnan(turns[1].chars)


def test_nothing():
    assert turns_of([]).turns == ()
    assert turns_of([LogMessage(A, "only me")]).openings == 1


def test_the_hash_of_a_passage_is_that_of_all_that_a_rater_is_shown():
    """Of the first reply, of an empty one, which later passages lack, and of a last one."""
    said = [(U, "a"), (A, 'b\n"ü"'), (U, "c"), (A, " "), (U, "d"), (A, "e")]
    turns = turns_of([LogMessage(role, text) for role, text in said])
    assert len(turns.turns) == 3
    assert passage_hashes(turns) == [sha256(quote_messages(each.messages)) for each in passages_of(turns)]
    assert passage_hashes(turns_of([])) == []
