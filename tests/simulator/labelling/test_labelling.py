"""What people are asked about, how answers are kept, and what a coder sees."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from holdfast.agents.raters.protocol import expressed
from holdfast.core.errors import InputError
from holdfast.simulator.labelling.sample import draw_sample
from holdfast.simulator.labelling.session import open_session
from holdfast.simulator.labelling.store import Label, LabelFolder, combined, labels_from_csv, write_labels
from holdfast.simulator.records import EpisodeRecord
from tests.simulator.measure.making import episode
from tests.simulator.recorded import record_run

LEVELS = {"emotional_reaction": 2, "interpretation": 1, "exploration": 0}


def talks(candidates: tuple[str, ...] = ("base", "routed"), odd: int = 0) -> list[EpisodeRecord]:
    """Six conversations of 8 turns with each candidate; a witness disagrees in the first ``odd`` turns."""
    return [
        episode(
            [(1, 1, 1)] * 8,
            candidate=candidate,
            persona=f"p{number}",
            ratings=[{"judge": expressed(*((2, 2, 2) if turn < odd else (1, 1, 1)))} for turn in range(8)],
        )
        for candidate in candidates
        for number in range(6)
    ]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_run(tmp_path_factory.mktemp("labels") / "run")


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.sqlite").write_bytes((recorded / "journal.sqlite").read_bytes())
    return tmp_path / "run"


def test_candidates_and_quarters_get_equal_parts_and_their_true_chance() -> None:
    sample = draw_sample(talks(), 32, seed=1)
    assert Counter(each.stratum for each in sample) == {
        f"{name}, quarter {quarter}": 4 for name in ("base", "routed") for quarter in (1, 2, 3, 4)
    }
    assert {each.inclusion for each in sample} == {4 / 12}
    assert len({(each.episode, each.turn) for each in sample}) == 32


def test_what_raters_disagree_over_is_drawn_more_often() -> None:
    sample = draw_sample(talks(odd=1), 64, seed=1)  # turn 1 is half of the first quarter
    first = {each.stratum: each.inclusion for each in sample if "base, quarter 1" in each.stratum}
    assert first["base, quarter 1, raters disagree"] > 1.5 * first["base, quarter 1"]
    assert sum(1 / each.inclusion for each in sample) == pytest.approx(2 * 6 * 8)  # they stand for all replies


def test_a_larger_sample_holds_the_smaller_one_and_a_seed_repeats_it() -> None:
    small, large = (draw_sample(talks(odd=1), count, seed=3) for count in (24, 60))
    assert {(each.episode, each.turn) for each in small} < {(each.episode, each.turn) for each in large}
    assert draw_sample(talks(odd=1), 24, seed=3) == small
    assert draw_sample(talks(odd=1), 24, seed=4) != small


def test_a_sample_ends_at_all_replies_and_needs_one_of_each_stratum() -> None:
    assert {each.inclusion for each in draw_sample(talks(), 10_000, seed=1)} == {1.0}
    with pytest.raises(InputError, match="3 labels cannot cover 8 strata; ask for 8 or more"):
        draw_sample(talks(), 3, seed=1)
    with pytest.raises(InputError, match="no reply to label"):
        draw_sample([episode([(0, 0, 0)], reply="")], 3, seed=1)


def test_a_session_is_blind_and_ends_when_all_is_answered(run: Path) -> None:
    session = open_session(run, "ana", count=8, scale="expressed")
    seen = []
    while (question := session.next()) is not None:
        shown = json.dumps([question.messages, question.reply])
        assert "base" not in shown
        assert "system_prompt" not in shown
        assert question.messages[-1][0] == "user"
        seen.append((question.item.episode, question.item.turn))
        session.answer(seen[-1], LEVELS)
    assert len(seen) == len(set(seen)) == 8
    assert session.answered == 8


def test_a_session_goes_on_where_it_stopped_and_takes_back(run: Path) -> None:
    first = open_session(run, "ana", count=8, scale="expressed")
    asked = first.next()
    assert asked is not None
    first.answer((asked.item.episode, asked.item.turn), LEVELS)
    again = open_session(run, "ana", count=8, scale="expressed")
    assert again.answered == 1
    assert again.undo()
    assert again.answered == 0
    assert again.next() == asked
    assert not again.undo()


def test_two_coders_are_asked_the_same_in_the_same_order(run: Path) -> None:
    ana, ben = (open_session(run, name, count=8, scale="expressed") for name in ("ana", "ben"))
    assert ana.next() == ben.next()
    assert [each.coder for each in (ana, ben)] == ["ana", "ben"]


def test_more_labels_keep_what_was_answered(run: Path) -> None:
    small = open_session(run, "ana", count=8, scale="expressed")
    question = small.next()
    assert question is not None
    small.answer((question.item.episode, question.item.turn), LEVELS)
    large = open_session(run, "ana", count=20, scale="expressed")
    assert (large.answered, len(large.sample.replies)) == (1, 20)
    assert large.sample.replies[0].inclusion > small.sample.replies[0].inclusion


def test_only_the_named_candidates_are_asked_about(run: Path) -> None:
    named = open_session(run, "ana", count=8, scale="expressed", candidates=["base"])
    assert named.sample.candidates == ("base",)
    assert {each.stratum.split(",")[0] for each in named.sample.replies} == {"base"}
    more = open_session(run, "ana", count=12, scale="expressed")  # drawn of the same
    assert len(more.sample.replies) > 8
    assert {each.stratum.split(",")[0] for each in more.sample.replies} == {"base"}
    with pytest.raises(InputError, match="its labels are of base; label a copy"):
        open_session(run, "ben", count=12, scale="expressed", candidates=["system_prompt"])


def test_an_unknown_candidate_is_told_with_those_that_there_are(run: Path) -> None:
    with pytest.raises(InputError, match=r"no candidate 'bases' in this run; did you mean 'base'\? \(candidates: base"):
        open_session(run, "ana", count=8, scale="expressed", candidates=["bases"])
    assert not (run / "labels").exists()


def test_another_scale_is_refused(run: Path) -> None:
    open_session(run, "ana", count=8, scale="expressed")
    with pytest.raises(InputError, match="its labels are on the scale expressed"):
        open_session(run, "ana", count=8, scale="perceived")


@pytest.mark.parametrize(
    "levels", [{}, {"emotional_reaction": 2}, LEVELS | {"emotional_reaction": 3}, LEVELS | {"overall": 1}]
)
def test_what_is_no_label_is_not_kept(run: Path, levels: dict[str, int]) -> None:
    session = open_session(run, "ana", count=8, scale="expressed")
    question = session.next()
    assert question is not None
    with pytest.raises(InputError):
        session.answer((question.item.episode, question.item.turn), levels)
    with pytest.raises(InputError, match="not asked about"):
        session.answer(("elsewhere", 1), LEVELS)
    assert session.answered == 0


@pytest.mark.parametrize("name", ["", "../ana", "a/b", "é", "x" * 41, "-ana"])
def test_a_coder_has_a_plain_name(run: Path, name: str) -> None:
    with pytest.raises(InputError, match="no coder's name"):
        open_session(run, name, count=8, scale="expressed")


def test_a_link_out_of_the_run_is_not_written_through(run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (run / "labels").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads out of the run folder"):
        open_session(run, "ana", count=8, scale="expressed")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_table_goes_out_and_comes_back(run: Path, tmp_path: Path) -> None:
    session = open_session(run, "ana", count=8, scale="expressed")
    while (question := session.next()) is not None:
        session.answer((question.item.episode, question.item.turn), LEVELS)
    folder = LabelFolder(run)
    table = tmp_path / "labels.csv"
    assert write_labels(folder, table) == len(folder.answers("ana")) == 8
    table.write_text(table.read_text(encoding="utf-8").replace("\nana,", "\nben,"), encoding="utf-8")
    read = labels_from_csv(folder, table)
    assert list(read) == ["ben"]
    assert [label.reply for label in read["ben"]] == list(folder.answers("ana"))
    assert table.read_text().splitlines()[0] == (
        "coder,episode,turn,emotional_reaction,interpretation,exploration,inclusion,model"
    )
    write_labels(folder, tmp_path / "labels.jsonl")
    first = json.loads((tmp_path / "labels.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert (first["coder"], first["model"], first["emotional_reaction"]) == ("ana", 0, LEVELS["emotional_reaction"])
    assert 0 < first["inclusion"] <= 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("ben,nowhere/x/1/6/0,1,0,0,0,,0", "labels.csv:2.*no reply that the sample asks about"),
        ("ben,{episode},{turn},7,0,0,,0", "labels.csv:2.*between 0 and 2"),
        ("ben,{episode},{turn},a,0,0,,0", "labels.csv:2.*is no label"),
        ("../ben,{episode},{turn},0,0,0,,0", "labels.csv:2.*coder's name"),
        ("", "lacks any row"),
    ],
)
def test_a_table_of_something_else_is_refused_with_its_place(run: Path, tmp_path: Path, row: str, says: str) -> None:
    session = open_session(run, "ana", count=8, scale="expressed")
    item = session.sample.replies[0]
    header = "coder,episode,turn,emotional_reaction,interpretation,exploration,inclusion,model"
    table = tmp_path / "labels.csv"
    table.write_text(f"{header}\n{row.format(episode=item.episode, turn=item.turn)}\n")
    with pytest.raises(InputError, match=says):
        labels_from_csv(LabelFolder(run), table)


@pytest.mark.parametrize("line", ["{", '{"episode": "e"}', '{"episode": "e", "turn": 1, "levels": {"x": 1}}', "[]"])
def test_damaged_labels_are_told_with_their_line(run: Path, line: str) -> None:
    session = open_session(run, "ana", count=8, scale="expressed")
    (run / "labels" / "ana.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r"ana\.jsonl:1"):
        session.next()
    (run / "labels" / "sample.json").write_text(line)
    with pytest.raises(InputError, match="cannot be read as a sample"):
        open_session(run, "ana", count=8, scale="expressed")


def test_several_coders_answers_are_averaged() -> None:
    one, two = (Label(episode="e", turn=1, levels={"overall": level}) for level in (2, 5))
    assert combined([{one.reply: one}, {two.reply: two}]) == {("e", 1): {"overall": 3.5}}
