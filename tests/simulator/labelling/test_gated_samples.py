"""What the gate stopped is not asked about for adherence; what was drawn and answered before that is still read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.core.errors import InputError
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from holdfast.simulator.labelling.sample import SampledReply, draw_sample, is_stopped
from holdfast.simulator.labelling.session import open_session
from holdfast.simulator.labelling.store import Label, LabelFolder, LabelSample, labels_from_csv, write_labels
from holdfast.simulator.records import EpisodeRecord
from tests.simulator.measure.making import PRIMARY, episode, rng
from tests.simulator.recorded import Parrot, record_run

LEVELS = {"emotional_reaction": 2, "interpretation": 1, "exploration": 0}
Reply = tuple[str, int]


def talks(stopped: float, last: float, seed: int = 0) -> list[EpisodeRecord]:
    """Twelve conversations of 8 turns with each of two candidates; a share is stopped, another of base's last quarter;
    a witness disagrees at random."""
    random, episodes = rng(seed), list[EpisodeRecord]()
    for candidate in ("base", "routed"):
        for number in range(12):
            apart = [{"judge": expressed(*([1 + random.integers(2)] * 3))} for _ in range(8)]
            spoken = episode([(1, 1, 1)] * 8, candidate=candidate, persona=f"p{number}", ratings=apart)
            rates = [last if turn > 6 and candidate == "base" else stopped for turn in range(1, 9)]
            turns = [
                replace(turn, ratings={**turn.ratings, PRIMARY.name: Rating(disqualified="loop")})
                if random.random() < rate
                else turn
                for turn, rate in zip(spoken.turns, rates, strict=True)
            ]
            episodes.append(replace(spoken, turns=tuple(turns)))
    return episodes


def let_through(episodes: list[EpisodeRecord]) -> set[Reply]:
    return {(each.spec.id, turn.turn) for each in episodes for turn in each.turns if not is_stopped(turn)}


def replies_of(sample: list[SampledReply]) -> set[Reply]:
    return {each.reply for each in sample}


def test_whatever_the_gate_lets_through_may_be_drawn_and_nothing_else() -> None:
    episodes = talks(0.5, 0.9)
    sample = draw_sample(episodes, 48, seed=1)
    assert len(sample) == 48
    assert replies_of(sample) <= let_through(episodes)
    weights = Counter[str]()
    for each in sample:
        weights[each.stratum] += 1 / each.inclusion
    assert sum(weights.values()) == pytest.approx(len(let_through(episodes)))  # the drawn stand for all of them
    assert replies_of(draw_sample(episodes, 10_000, seed=1)) == let_through(episodes)
    drawn = Counter(reply for seed in range(200) for reply in replies_of(draw_sample(episodes, 48, seed)))
    assert drawn.keys() == let_through(episodes)  # each has a chance above 0


def test_a_quarter_that_is_stopped_altogether_costs_no_label() -> None:
    strata = {each.stratum for each in draw_sample(talks(0.2, 1.0), 40, seed=1)}
    assert {name for name in strata if name.startswith("base, quarter 4")} == set()
    assert {name[:15] for name in strata if name.startswith("base")} == {
        f"base, quarter {quarter}" for quarter in (1, 2, 3)
    }


def test_where_nothing_is_let_through_there_is_nothing_to_label() -> None:
    with pytest.raises(InputError, match="no reply to label, or none that the gate lets through"):
        draw_sample(talks(1.0, 1.0), 40, seed=1)


def test_how_replies_were_felt_is_asked_of_all_of_them() -> None:
    episodes = talks(0.5, 0.9)
    everything = {(each.spec.id, turn.turn) for each in episodes for turn in each.turns}
    assert replies_of(draw_sample(episodes, 10_000, seed=1, gated=False)) == everything


@pytest.mark.parametrize("seed", range(6))
def test_a_sample_of_before_is_added_to(seed: int) -> None:
    """It was drawn of all replies; what of it was let through is drawn again, at the head of each stratum."""
    episodes = talks(0.6, 0.9, seed)
    before = draw_sample(episodes, 40, seed=3, gated=False)
    heard = replies_of(before) & let_through(episodes)
    assert 0 < len(heard) < 40
    for count in (24, 41, 60):
        after = draw_sample(episodes, count, seed=3, before=replies_of(before))
        assert heard <= replies_of(after) <= let_through(episodes)
        assert len(after) >= count


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_run(tmp_path_factory.mktemp("gated") / "run", Parrot)


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / JOURNAL).write_bytes((recorded / JOURNAL).read_bytes())
    return tmp_path / "run"


def older(run: Path, count: int = 36) -> LabelFolder:
    """A sample as it was drawn before, with a label of each of its first half."""
    folder = LabelFolder(run)
    drawn = draw_sample(read_episodes(run / JOURNAL), count, seed=0, gated=False)
    folder.keep_sample(LabelSample(scale="expressed", seed=0, replies=tuple(drawn)))
    for each in drawn[: count // 2]:
        folder.add("ana", Label(episode=each.episode, turn=each.turn, levels=LEVELS))
    return folder


def test_a_new_session_asks_about_first_replies_only(run: Path) -> None:
    session = open_session(run, "ana", count=36, scale="expressed")
    assert {each.turn for each in session.asked} == {1}  # the others say the same again
    assert len(session.asked) == len(session.sample.replies) == 6


def test_how_they_were_felt_is_asked_of_all(run: Path) -> None:
    session = open_session(run, "ana", count=36, scale="perceived")
    assert len(session.asked) == 36
    assert not session.stopped


def test_an_older_sample_is_gone_on_with_without_its_stopped_replies(run: Path) -> None:
    folder = older(run)
    kept = (run / "labels" / "ana.jsonl").read_bytes()
    session = open_session(run, "ana", count=36, scale="expressed")
    assert session.sample == folder.sample()
    assert {each.turn for each in session.asked} == {1}
    answered = session.answered
    while (question := session.next()) is not None:
        assert question.item.turn == 1
        session.answer(question.item.reply, LEVELS)
    assert session.answered == 6
    assert (run / "labels" / "ana.jsonl").read_bytes().startswith(kept)
    assert len(folder.answers("ana")) == 18 + 6 - answered
    stopped = next(each.reply for each in session.sample.replies if each.turn > 1)
    with pytest.raises(InputError, match="not asked about"):
        session.answer(stopped, LEVELS)


def test_more_labels_than_an_older_sample_holds_are_drawn_of_what_is_let_through(run: Path) -> None:
    folder = older(run, 16)
    first = {each.reply for each in folder.sample().replies if each.turn == 1}
    session = open_session(run, "ana", count=20, scale="expressed")
    assert {each.turn for each in session.sample.replies} == {1}
    assert first <= {each.reply for each in session.sample.replies}
    assert len(folder.answers("ana")) == 8  # read as before


def test_a_table_of_an_older_sample_is_read_into_a_new_one(run: Path, tmp_path: Path) -> None:
    folder = older(run)
    assert write_labels(folder, tmp_path / "old.csv") == 18
    for file in (run / "labels").iterdir():
        file.unlink()
    session = open_session(run, "ben", count=36, scale="expressed")
    with pytest.raises(InputError, match="no reply that the sample asks about"):
        labels_from_csv(folder, tmp_path / "old.csv")
    read = labels_from_csv(folder, tmp_path / "old.csv", session.stopped)
    assert len(read["ana"]) == 18
    assert np.all([label.levels == LEVELS for label in read["ana"]])
