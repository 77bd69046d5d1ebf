"""Results that rest on labels: agreement, errors that differ between candidates, intervals by three methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.cli.studies.summary import labels_line
from holdfast.simulator.labelling.sample import draw_sample
from holdfast.simulator.labelling.store import Label, LabelFolder, LabelSample
from holdfast.simulator.records import EpisodeRecord, TurnRecord
from holdfast.simulator.results.label_model import RunLabels
from tests.simulator.measure.making import PRIMARY, episode
from tests.simulator.results.test_build import PERSONAS, build
from tests.simulator.results.test_felt import PEOPLE

TRUE = {"base": 1, "routed": 1}  # what people would say of every mechanism
NAMES = ("emotional_reaction", "interpretation", "exploration")


def rated(bias: dict[str, float], personas: int = 8) -> list[EpisodeRecord]:
    """Conversations whose rater is off by ``bias``, with some noise of its own."""
    noise = np.random.default_rng(3)
    return [
        episode(
            [tuple(np.clip(TRUE[name] + bias[name] + noise.normal(0, 0.2, 3), 0, 2)) for _ in range(8)],
            candidate=name,
            persona=persona,
            task=PERSONAS[persona].task,
        )
        for name in TRUE
        for persona in list(PERSONAS)[:personas]
    ]


def labelled(
    folder: Path, episodes: list[EpisodeRecord], coders: tuple[str, ...] = ("ana",), count: int = 96
) -> LabelFolder:
    """People who say 1 three times of four, 0 or 2 else, half each."""
    labels, random = LabelFolder(folder), np.random.default_rng(5)
    drawn = draw_sample(episodes, count, seed=1)
    labels.keep_sample(LabelSample(scale="expressed", seed=1, replies=tuple(drawn)))
    for coder in coders:
        for item in drawn:
            levels = dict(zip(NAMES, random.choice([0, 1, 1, 1, 1, 1, 1, 2], 3).tolist(), strict=True))
            labels.add(coder, Label(episode=item.episode, turn=item.turn, levels=levels, model=coder == "gpt"))
    return labels


def results(folder: Path, bias: dict[str, float], **settings: object) -> RunLabels:
    episodes = rated(bias)
    made = build(episodes, labels=labelled(folder, episodes, **settings)).labels
    assert made is not None
    return made


def test_without_labels_there_is_nothing(tmp_path: Path) -> None:
    assert build(rated({"base": 0, "routed": 0})).labels is None
    assert build(rated({"base": 0, "routed": 0}), labels=LabelFolder(tmp_path)).labels is None


def test_a_rater_that_favours_one_candidate_is_found_out(tmp_path: Path) -> None:
    made = results(tmp_path, {"base": -0.6, "routed": 0.6})
    error = next(each for each in made.errors if each.dimension == "mean")
    assert error.by_candidate["routed"].mean == pytest.approx(0.6, abs=0.1)
    assert error.biases == ["base - routed"]
    adherence = next(each for each in made.differences if each.metric == "adherence")
    truth = adherence.difference["labels only"]
    assert truth.lo < 0 < truth.hi  # people see no difference
    corrected = adherence.difference["labels and rater"]
    assert corrected.lo < 0 < corrected.hi


def test_what_the_gate_stops_counts_0_whatever_its_label(tmp_path: Path) -> None:
    """Every second reply is a loop; labels of 1 everywhere would give both halves the same adherence."""
    episodes = [
        replace(each, turns=tuple(_looped(turn) if turn.turn % 2 else turn for turn in each.turns))
        for each in rated({"base": 0, "routed": 0})
    ]
    count = sum(len(each.turns) for each in episodes)  # a label for each reply
    made = build(episodes, labels=labelled(tmp_path, episodes, count=count)).labels
    whole = build(rated({"base": 0, "routed": 0}), labels=labelled(tmp_path / "whole", episodes, count=count)).labels
    assert made is not None
    assert whole is not None
    for method in ("labels only", "labels and rater"):
        stopped, all_heard = (each.candidates["base"].adherence[method].mean for each in (made, whole))
        assert stopped == pytest.approx(all_heard / 2, rel=0.05)


def _looped(turn: TurnRecord) -> TurnRecord:
    return replace(turn, ratings={**turn.ratings, PRIMARY.name: Rating(disqualified="loop")})


def test_a_rater_that_errs_alike_biases_no_comparison(tmp_path: Path) -> None:
    made = results(tmp_path, {"base": 0.5, "routed": 0.5})
    assert all(not each.biases for each in made.errors if each.dimension == "mean")


def test_the_rater_alone_may_say_what_people_do_not(tmp_path: Path) -> None:
    made = results(tmp_path, {"base": 0.8, "routed": 0.8})
    base = made.candidates["base"].adherence
    assert abs(base["rater only"].mean - base["labels only"].mean) > 0.15
    assert abs(base["labels and rater"].mean - base["labels only"].mean) < 0.05


def test_counts_coders_and_their_agreement(tmp_path: Path) -> None:
    made = results(tmp_path, {"base": 0, "routed": 0}, coders=("ana", "gpt"))
    assert made.coders == {"ana": 96, "gpt": 96}
    assert (made.models, made.twice, made.labelled, made.share_labelled) == (["gpt"], 96, 96, 1.0)
    assert {each.dimension for each in made.between_coders} == set(NAMES)
    assert all(abs(each.kappa) < 0.4 for each in made.between_coders)  # they answered at random
    assert [each.n for each in made.raters] == [96] * 3


def test_few_persons_are_told(tmp_path: Path) -> None:
    made = results(tmp_path, {"base": 0, "routed": 0})
    assert made.notes == [f"{name}: 8 persons with labels: too few for limits to be trusted" for name in TRUE]


def test_retention_and_quarters_have_all_three_methods(tmp_path: Path) -> None:
    made = results(tmp_path, {"base": 0, "routed": 0}, count=128)
    part = made.candidates["routed"]
    assert len(part.quarters) == 4
    methods = ("labels and rater", "labels only", "rater only")
    assert all(tuple(each) == methods for each in (*part.quarters, part.retention, part.adherence))
    assert part.labels == 64
    full = build(rated({"base": 0, "routed": 0})).candidates["routed"]
    assert part.retention["rater only"].mean == pytest.approx(full.retention.mean)
    assert part.adherence["rater only"].mean == pytest.approx(full.adherence.mean)


def test_labels_of_fewer_than_five_people_give_no_limits(tmp_path: Path) -> None:
    episodes = rated({"base": 0, "routed": 0}, personas=4)
    made = build(episodes, labels=labelled(tmp_path, episodes, count=48)).labels
    assert made is not None
    part = made.candidates["base"]
    assert (part.persons, part.adherence["labels and rater"].lo, part.retention["labels only"].lo) == (4, None, None)
    assert part.adherence["labels and rater"].mean is not None
    assert all(each.difference["labels only"].lo is None for each in made.differences)


def test_labels_of_one_score_are_held_against_who_says_what_was_felt(tmp_path: Path) -> None:
    """The feeler is 1 too high on base and right on routed, but for .1 more or less by person; no rater of expressed
    levels is compared with one score."""
    episodes = [
        episode(
            [(1.0, 1.0, 1.0)] * 4,
            candidate=name,
            persona=persona,
            task=PERSONAS[persona].task,
            ratings=[{PEOPLE.name: Rating({"overall": 2.0 + turn % 3 + high + off})} for turn in range(4)],
        )
        for name, high in (("base", 1), ("routed", 0))
        for persona, off in zip(PERSONAS, [-0.1, 0.1] * 4, strict=True)
    ]
    labels = LabelFolder(tmp_path)
    drawn = draw_sample(episodes, 40, seed=1)
    labels.keep_sample(LabelSample(scale="perceived", seed=1, replies=tuple(drawn)))
    for item in drawn:
        labels.add("ana", Label(episode=item.episode, turn=item.turn, levels={"overall": 2 + (item.turn - 1) % 3}))
    made = build(episodes, labels=labels, raters=[PRIMARY, PEOPLE]).labels
    assert made is not None
    (agreement,) = made.raters
    assert (agreement.first, agreement.dimension, agreement.n) == (PEOPLE.name, "overall", 40)
    error = next(each for each in made.errors if each.dimension == "overall")
    assert error.by_candidate["base"].mean == pytest.approx(1, abs=0.05)
    assert error.by_candidate["routed"].mean == pytest.approx(0, abs=0.05)
    assert error.biases == ["base - routed"]


def test_no_method_has_limits_from_four_people(tmp_path: Path) -> None:
    episodes = rated({"base": -0.6, "routed": 0.6}, personas=4)
    made = build(episodes, labels=labelled(tmp_path, episodes, count=48)).labels
    for part in made.candidates.values():
        for figures in (part.adherence, part.retention, *part.quarters):
            assert {(each.lo, each.hi) for each in figures.values()} == {(None, None)}
    assert all(each.lo is None for pair in made.differences for each in pair.difference.values())
    for error in made.errors:
        assert error.biases == []
        assert all(each.lo is None for each in (*error.by_candidate.values(), *error.differs.values()))


def test_labels_of_one_candidate_compare_no_errors(tmp_path: Path) -> None:
    episodes = rated({"base": 0, "routed": 0})
    of_base = [each for each in episodes if each.spec.candidate == "base"]
    labels = labelled(tmp_path, of_base, count=30)
    sample = labels.sample()
    assert sample is not None
    labels.keep_sample(sample.model_copy(update={"candidates": ("base",)}))
    made = build(episodes, labels=labels).labels
    assert made is not None
    assert "routed: not among those whose replies were to be labelled; by the rater alone" in made.notes
    assert labels_line(made).endswith(
        "labelled by people; whether a rater errs alike for all candidates cannot be told from them"
    )
    whole = results(tmp_path / "all", {"base": 0, "routed": 0})
    assert "by the rater alone" not in " ".join(whole.notes)
    assert labels_line(whole).endswith("no rater surely errs more for one candidate than for another")
