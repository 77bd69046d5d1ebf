"""What is measured of a log, against arrays worked out beside it and against published figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pytest

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.agents.raters.linear.legibility import NO_TEXT, NO_WORDS, OTHER_SCRIPT, OTHER_WORDS
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating, Scale
from holdfast.core.errors import InputError
from holdfast.core.seeds import derive_seed
from holdfast.personas.loading import patterns
from holdfast.simulator.logs import sums as tally
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.measuring import measure_all
from holdfast.simulator.logs.notes import notes_of
from holdfast.simulator.logs.rating import rate_all, rate_texts
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.sources import open_sources
from holdfast.simulator.measure.bootstrap import Resamples, mean_band, ratio_interval
from holdfast.simulator.measure.decay.retention import quarter_means
from holdfast.simulator.measure.decay.slope import episode_slopes

REPLIES = (
    "I am so sorry, that sounds hard.",
    "What worries you the most?",
    "Make a list.",
    "I have felt the same way.",
)


def talk(number: int, turns: int, speaker: str, model: str = "m") -> Conversation:
    said = []
    for turn in range(turns):
        said.append(LogMessage("user", f"message {turn}"))
        said.append(LogMessage("assistant", REPLIES[(number * 7 + turn * turn) % len(REPLIES)]))
    return Conversation(f"c{number}", f"log:{number}", tuple(said), speaker, {"model": model})


@pytest.fixture
def log(tmp_path):
    """30 conversations of 2 to 9 turns by 8 speakers, as a file; and their expressed empathy as arrays."""
    talks = [talk(n, 2 + n % 8, f"p{n % 8 if n % 8 < 6 else n % 5}") for n in range(30)]
    FORMATS["messages"].writer.write(talks, tmp_path / "log.jsonl")
    values = np.full((30, 9, 3), np.nan)
    for row, one in enumerate(talks):
        replies = [m.text for m in one.messages if m.role == "assistant"]
        values[row, : len(replies)] = LinearRater().model.levels(replies)
    return tmp_path / "log.jsonl", talks, values


def order_of_first(speakers):
    """Cluster names that sort in the order in which speakers come, as rows of sums do."""
    names = {name: f"{number:03d}" for number, name in enumerate(dict.fromkeys(speakers))}
    return [names[name] for name in speakers]


def test_the_same_as_the_measures_of_a_study_on_whole_arrays(log):
    path, talks, values = log
    results, _ = measure_files(open_sources([path]), pattern="companion", seed=5)
    found = results.groups["m"].measures
    planned = np.array([len(one.messages) // 2 for one in talks])
    rng = np.random.default_rng(derive_seed(5, "logs", "m"))
    resamples = Resamples.of(order_of_first([one.speaker for one in talks]), rng)
    target = np.array(patterns()["companion"].target.as_array())
    for name, array in (("expressed", values.mean(axis=-1)), ("adherence", adherence(values, target, 2))):
        first, last = quarter_means(array, planned)
        band = mean_band(array, resamples)
        assert [row.mean for row in found[name].by_turn] == pytest.approx(band.mean.tolist())
        people = [
            len({one.speaker for one, row in zip(talks, array, strict=True) if row[t] == row[t]}) for t in range(9)
        ]
        limits = [lo if n >= 5 else None for lo, n in zip(band.lo.tolist(), people, strict=True)]
        assert min(people) < 5 <= max(people)
        assert [row.lo for row in found[name].by_turn] == pytest.approx(limits)
        assert [row.turn for row in found[name].by_turn] == list(range(1, 10))
        expected = ratio_interval(last, first, resamples)
        assert found[name].retention.model_dump() == pytest.approx(asdict(expected))
        pooled = mean_centred_slope(array)
        assert found[name].slope_per_turn.mean == pytest.approx(pooled)
        assert found[name].slope_per_turn.lo < pooled < found[name].slope_per_turn.hi


def mean_centred_slope(array):
    """Least squares of the values on the turns, both about their conversation's mean, over 3 turns or more."""
    turns, offsets = [], []
    for row in array:
        there = np.flatnonzero(~np.isnan(row))
        if len(there) >= 3:
            turns += list(there - there.mean())
            offsets += list(row[there] - row[there].mean())
    return np.dot(turns, offsets) / np.dot(turns, turns)


def test_both_slopes_come_from_one_estimator(tmp_path):
    """Where length says nothing (equal replies' lengths), holding it changes nothing, also in unequal conversations.

    Levels by turn, from replies of 10 characters each; 3 turns and 9 turns, so an unweighted mean of the
    conversations' own slopes would be another number.
    """
    texts = {0: "I'm sorry.", 1: "Try again."}  # too short for a copy
    assert len({len(text) for text in texts.values()}) == 1
    patterns_of_replies = ([0, 1, 1], [1, 1, 1, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1])
    talks = []
    for number, replies in enumerate(patterns_of_replies):
        said = [m for k in replies for m in (LogMessage("user", "Hm."), LogMessage("assistant", texts[k]))]
        talks.append(Conversation(f"c{number}", "x", tuple(said), f"p{number}"))
    FORMATS["messages"].writer.write(talks, tmp_path / "log.jsonl")
    results, _ = measure_files(open_sources([tmp_path / "log.jsonl"]))
    measure = results.groups["all"].measures["expressed"]
    levels = {k: LinearRater().model.levels([text]).mean() for k, text in texts.items()}
    table = np.full((3, 9), np.nan)
    for row, replies in enumerate(patterns_of_replies):
        table[row, : len(replies)] = [levels[k] for k in replies]
    assert measure.slope_per_turn.mean == pytest.approx(mean_centred_slope(table))
    assert measure.slope_per_turn.mean != pytest.approx(np.mean(episode_slopes(table)))
    assert measure.slope_given_length == measure.slope_per_turn  # no length varies: there is nothing to hold


def test_batches_and_workers_change_nothing(log, monkeypatch):
    path, _, _ = log
    whole, _ = measure_files(open_sources([path]), workers=1)
    monkeypatch.setattr("holdfast.simulator.logs.measuring.BATCH_TURNS", 7)
    small, _ = measure_files(open_sources([path]), workers=1)
    assert list(numbers(small.model_dump())) == pytest.approx(
        list(numbers(whole.model_dump()))
    )  # sums in another order round otherwise
    monkeypatch.setattr("holdfast.simulator.logs.rating.POOL_FROM", 1)
    assert measure_files(open_sources([path]), workers=2)[0] == small


def numbers(value):
    """Every number of a result, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from numbers(one)
    elif isinstance(value, (int, float)):
        yield value


def test_a_pool_rates_as_this_process_does(monkeypatch):
    monkeypatch.setattr("holdfast.simulator.logs.rating.POOL_FROM", 1)
    jobs = [[[("?", reply) for reply in texts]] for texts in (REPLIES, ["ok"], [REPLIES[0]] * 3)]
    found = list(rate_all(jobs, lambda job: job, workers=2))
    assert [job for job, _ in found] == jobs
    for job, rated in found:
        np.testing.assert_array_equal(rated.levels, rate_texts(job).levels)


def test_what_the_rater_cannot_read_is_undefined_and_counted():
    texts = ("Sorry.", "  ", "你好 我很难过", "Je suis désolé", "👍", "42", "ok 好")
    assert [LinearRater().why_unrated(text) for text in texts] == [
        "", NO_TEXT, OTHER_SCRIPT, OTHER_WORDS, NO_WORDS, NO_WORDS, ""
    ]  # fmt: skip
    said = (
        LogMessage("user", "?"),
        LogMessage("assistant", "你好"),
        LogMessage("user", "?"),
        LogMessage("assistant", "Hi."),
    )
    tallies = measure_all([Conversation("c", "x", said)], workers=1)
    assert tallies.unrated == {OTHER_SCRIPT: 1}
    assert tallies.rated == 1
    sums = tallies.groups["all"].measures["expressed"].by_turn.sums(1)
    assert sums.counts[0].tolist() == [0, 0, 1]  # turn 0, the unrated turn, the rated one


def test_a_failure_adheres_0_and_is_counted_by_group(tmp_path):
    """Of a conversation's two replies one is a loop: adherence is half of the other's."""
    said = [("user", "I lost my job."), ("assistant", REPLIES[0]), ("user", "So?"), ("assistant", "no " * 9)]
    messages = tuple(LogMessage(role, text) for role, text in said)
    one = [Conversation("c", "x", messages), Conversation("d", "x", messages[:2])]
    tallies = measure_all(one, target_of=lambda _: (2.0, 1.0, 0.0), workers=1)
    assert tallies.disqualified == tallies.legible["all"].failed == {"loop": 1}
    assert (tallies.unrated, tallies.rated) == ({}, 2)
    by_turn = tallies.groups["all"].measures["adherence"].by_turn.sums(2)
    assert by_turn.counts.sum(axis=0).tolist() == [0, 2, 1]
    assert by_turn.totals[:, 2].tolist() == [0.0, 0.0]
    assert "group 'all': 1 reply is disqualified, with adherence 0: loop" in list(notes_of(tallies, ()))


def test_the_bounds_of_a_log_by_hand(tmp_path):
    """Two turns, one unrated: adherence a, and a / 2 or (a + 1) / 2 at the bounds; a log without any has no bounds."""
    german = "Das tut mir sehr leid, ich verstehe deine Sorgen und wünsche dir viel Kraft für morgen."
    said = [("user", "I lost my job."), ("assistant", REPLIES[0]), ("user", "So?"), ("assistant", german)]
    messages = tuple(LogMessage(role, text) for role, text in said)
    FORMATS["messages"].writer.write([Conversation("c", "x", messages)], tmp_path / "a.jsonl")
    FORMATS["messages"].writer.write([Conversation("c", "x", messages[:2])], tmp_path / "b.jsonl")
    results, _ = measure_files(open_sources([tmp_path / "a.jsonl"]), pattern="companion")
    group = results.groups["all"]
    near = group.measures["adherence"].mean.mean
    assert (group.bounds.worst.mean.mean, group.bounds.best.mean.mean) == pytest.approx((near / 2, (near + 1) / 2))
    assert [point.mean for point in group.bounds.worst.by_turn] == pytest.approx([near, 0.0])
    assert not any("worst" in name or "best" in name for name in group.measures)
    assert any("bounds of adherence" in note for note in results.notes)
    known, _ = measure_files(open_sources([tmp_path / "b.jsonl"]), pattern="companion")
    assert known.groups["all"].bounds is None


def test_the_gate_stands_before_every_rater_of_a_log():
    said = (LogMessage("user", "I lost my job."), LogMessage("assistant", "You are pathetic. Boo hoo."))
    raters = {"linear": GatedRater(LinearRater()), "felt": GatedRater(FittedRater(SHIPPED_PERCEIVED))}
    tallies = measure_all([Conversation("c", "x", said)], raters=raters, workers=1)
    assert (tallies.disqualified, tallies.rated) == ({"hostile": 1}, 0)
    assert list(tallies.groups["all"].measures) == ["reply_chars"]
    kind = (LogMessage("user", "I lost my job."), LogMessage("assistant", "I am so sorry. What happened?"))
    tallies = measure_all([Conversation("c", "x", kind)], raters=raters, workers=1)
    assert {"expressed", "felt: perceived"} <= set(tallies.groups["all"].measures)


def test_a_log_in_another_language_gets_a_warning(tmp_path):
    german = "Das tut mir sehr leid, ich verstehe deine Sorgen und wünsche dir viel Kraft für morgen."
    said = (LogMessage("user", "Hallo"), LogMessage("assistant", german))
    FORMATS["messages"].writer.write([Conversation("c", "x", said)], tmp_path / "log.jsonl")
    results, _ = measure_files(open_sources([tmp_path / "log.jsonl"]))
    assert "it was fitted on English text" in results.notes[0]


def test_memory_is_bounded_and_it_is_said(log, monkeypatch):
    path, _, _ = log
    monkeypatch.setattr(tally, "MOST_CLUSTERS", 4)
    monkeypatch.setattr(tally, "CURVE_TURNS", 5)
    results, tallies = measure_files(open_sources([path]))
    group = results.groups["m"]
    assert (group.clusters, group.clusters_shared) == (4, True)
    assert len(group.measures["expressed"].by_turn) == 5
    assert tallies.groups["m"].measures["expressed"].by_turn.sums(4).totals.shape == (4, 6)
    assert any("sets of speakers" in note for note in results.notes)


def test_many_groups_end_in_one(tmp_path):
    talks = [talk(n, 2, f"p{n}", model=f"m{n:02d}") for n in range(40)]
    FORMATS["messages"].writer.write(talks, tmp_path / "log.jsonl")
    results, _ = measure_files(open_sources([tmp_path / "log.jsonl"]))
    assert list(results.groups)[-1] == "(other groups)"
    assert sum(group.n for group in results.groups.values()) == 40
    assert any("(other groups)" in note for note in results.notes)


def test_questions_that_cannot_be_answered(log):
    path, _, _ = log
    with pytest.raises(InputError, match=r"--by: no conversation has a column 'modle'; did you mean 'model'"):
        measure_files(open_sources([path]), by=["modle"])
    with pytest.raises(InputError, match=r"--pattern: unknown pattern or task 'compaion'; did you mean 'companion'"):
        measure_files(open_sources([path]), pattern="compaion")
    with pytest.raises(InputError, match=r"--columns names the columns of a table"):
        open_sources([path], "messages", "role=x")
    with pytest.raises(InputError, match=r"no conversation could be read as sage; is --format right\?\n30 x no"):
        measure_files(open_sources([path], "sage"))


def test_columns_of_a_plain_csv(tmp_path):
    path = tmp_path / "chats.csv"
    path.write_text(
        "chat,n,q,a,who,stars,team\n"
        "1,1,I am sad.,So sorry.,ann,5,x\n1,2,Still sad.,What happened?,ann,4,x\n"
        "2,1,Hi.,Hello.,bob,,y\n1,3,Back.,Hm.,ann,1,x\n"
    )
    columns = "conversation=chat,user=q,reply=a,speaker=who,label.empathy=stars"
    results, _ = measure_files(open_sources([path], columns=f"{columns},order=n"), by=["team"])
    assert results.groups["x"].measures["empathy"].mean.mean == pytest.approx(10 / 3)
    assert (results.groups["y"].n, results.skipped.total) == (1, 0)
    results, _ = measure_files(open_sources([path], columns=columns), by=["team"])
    assert list(results.groups) == ["y"]  # nothing says whether chat 1 goes on or is another of that name
    (skip,) = results.skipped.by_reason
    assert skip.reason.startswith("left out: it comes back after another; sort the rows by conversation, or name turns")
    assert skip.first[0].startswith(f"{path}:2:")
    assert f"{path}:5" in skip.first[0]
    for bad, said in (
        ("conversation=chatt", "no column 'chatt' for conversation; did you mean 'chat'"),
        ("conversaton=chat", "unknown name 'conversaton'; did you mean 'conversation'"),
        ("chat", "expected NAME=COLUMN, got 'chat'"),
        ("user=q,reply=a", "cannot tell conversation, role and text"),
    ):
        with pytest.raises(InputError, match=said):
            measure_files(open_sources([path], columns=bad))


PUBLISHED = {  # SAGE's leaderboard with the DeepSeek-V3 simulator: mean final emotion, successes
    "gpt-4.5": (62.7, 23),
    "claude3.7": (54.8, 19),
    "deepseek-v3-0324": (54.4, 19),
    "openai-o4mini": (35.9, 10),
    "llama3.3-70b": (33.3, 7),
    "gemini2.0-flash": (32.9, 8),
}


def test_sage_equals_its_published_leaderboard(real_data):
    path = real_data / "sage_trajectories" / "turns.csv"
    results, _ = measure_files(open_sources([path], "sage"))
    assert len(results.groups) == 10
    for model, (emotion, successes) in PUBLISHED.items():
        group = results.groups[f"deepseek-v3-2024-1227/{model}"]
        assert group.final_emotion.mean == pytest.approx(emotion, abs=0.0501)  # 33.25 is published as 33.3
        assert group.final_emotion.lo < emotion < group.final_emotion.hi
        assert (group.n, group.successes) == (100, successes)
        assert sum(row.events for row in group.exits.survival) == group.failures
        for way, count in (("failure", group.failures), ("success", group.successes)):
            last = group.exits.incidence[way][-1]
            assert last.share == pytest.approx(count / 100)  # nobody is cut off before the planned end


def test_sage_dialogues_equal_their_published_row(real_data):
    path = next((real_data / "sage_trajectories").glob("*.jsonl"))
    results, _ = measure_files(open_sources([path]))
    group = results.groups["all"]
    assert group.final_emotion.mean == pytest.approx(68.2, abs=0.05)
    assert (group.successes, results.rated_replies) == (35, 0)  # Chinese: nothing is rated, nothing is 0
    assert "expressed" not in group.measures


def test_ieval_and_esconv_are_read_whole(real_data):
    results, _ = measure_files(open_sources([real_data / "ieval" / "conversations.csv"]))
    assert (results.conversations, results.skipped.total, list(results.groups)) == (
        960,
        0,
        ["Green", "Pink", "Purple", "Yellow"],
    )
    assert results.groups["Green"].clusters == 120
    results, _ = measure_files(open_sources([real_data / "esconv_failed" / "conversations.jsonl"]))
    assert (results.conversations, results.skipped.total) == (98, 0)
    assert results.groups["all"].measures["feedback"].mean.n > 50


@dataclass(frozen=True)
class EveryThird:
    """A rater of two dimensions that gives no answer to every third reply of a batch."""

    scale: Scale = Scale("both", ("warmth", "calm"), 0, 4)
    identity: RaterIdentity = RaterIdentity("third", "1")

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        turns = [len(passage.messages) // 2 for passage in passages]
        return [
            Rating(missing="no answer") if index % 3 == 2 else Rating({"warmth": turn, "calm": 4.0})
            for index, turn in enumerate(turns)
        ]


def test_a_witness_stands_beside_the_primary_rater(log):
    """4 conversations of 3 turns: each third is missing; turn t has warmth t, so the mean is (t + 4) / 2."""
    path, _, _ = log
    FORMATS["messages"].writer.write([talk(n, 3, f"p{n}") for n in range(4)], path.with_name("four.jsonl"))
    raters = {"linear": LinearRater(), "third": EveryThird()}
    results, _ = measure_files(open_sources([path.with_name("four.jsonl")]), raters=raters)
    alone, _ = measure_files(open_sources([path.with_name("four.jsonl")]))
    measures = results.groups["m"].measures
    assert [row.mean for row in measures["third: both"].by_turn] == [2.5, 3]
    witness = results.witnesses["third"]
    assert (witness.rater.id, witness.rater.scale.id, witness.rater.role) == ("third", "both", "witness")
    assert witness.unrated == {"no answer": 4}
    assert "4 replies were not rated by third: no answer" in results.notes
    assert (results.rated_replies, results.unrated_replies) == (12, {})
    assert {name: measures[name] for name in alone.groups["m"].measures} == alone.groups["m"].measures


def test_any_rater_of_expressed_empathy_can_be_the_primary_one(log):
    path, _, _ = log

    @dataclass(frozen=True)
    class Silent(EveryThird):
        scale: Scale = EXPRESSED

        async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
            values = [LinearRater().score([passage])[0] for passage in passages]
            return [Rating(missing="no answer") if n % 3 == 2 else value for n, value in enumerate(values)]

    results, _ = measure_files(open_sources([path]), raters={"silent": Silent()})
    assert (results.rater.name, results.rater.id, results.rater.version) == ("silent", "third", "1")
    assert results.unrated_replies == {"no answer": results.turns // 3}
    assert results.rated_replies == results.turns - results.turns // 3
    assert results.known_words is None  # of the linear rater only
    with pytest.raises(InputError, match="'third' rates both: put a rater of expressed empathy first"):
        measure_files(open_sources([path]), raters={"third": EveryThird()})
