"""Transcripts for other tools hold what the journal holds, in every format and shape."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Intention
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.export import Shape, arrow_schema, export, export_columns, turns_frame
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from tests.simulator.engine.studies import run as run_session
from tests.simulator.engine.studies import session, study
from tests.simulator.scripted import HashModel


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine conversations of six turns, of which one failed at once."""
    out = tmp_path_factory.mktemp("run")
    plan = study()
    run_session(session(plan, HashModel(fail="system_prompt/jun_park")), out)
    return out


def test_a_row_a_turn(run: Path, tmp_path: Path) -> None:
    episodes = read_episodes(run / "journal.sqlite")
    assert export(run / "journal.sqlite", tmp_path / "turns.parquet", "parquet") == 48
    table = pq.read_table(tmp_path / "turns.parquet")
    assert table.schema.names == list(export_columns("turns"))
    rows = table.to_pylist()
    turns = [turn for episode in episodes for turn in episode.turns]
    assert [(row["episode"], row["turn"], row["user"], row["reply"]) for row in rows] == [
        (turn.episode_id, turn.turn, turn.user, turn.reply) for turn in turns
    ]
    first = rows[0]
    assert (first["candidate"], first["persona"], first["agent"], first["replicate"]) == (
        "base", "amara_okafor", None, 1,
    )  # fmt: skip
    assert first["emotional_reaction"] == turns[0].primary.values["emotional_reaction"]
    assert first["felt_interest"] == turns[0].felt["interest"]
    assert (first["unrated"], first["witnesses"], first["goals_served"]) == (None, None, [])
    assert first["stop"] is None
    assert rows[5]["stop"] == "max turns"


def test_ratings_that_are_missing_and_those_of_witnesses(tmp_path: Path) -> None:
    spec = EpisodeSpec("jun_park", "bug_hunt", "base", 1, 1)
    ratings = {"linear": Rating(missing="no answer"), "judge": expressed(2, 1, 0)}
    said = Intention("ask", topic="t", need="n", goal="g")
    with Journal.create(tmp_path / "journal.sqlite", {}) as journal:
        journal.plan([spec])
        journal.append(TurnRecord(spec.id, 1, "u", said, "r", ratings, {}, 50.0, {}, goals_served=("g",)))
    (row,) = turns_frame(tmp_path / "journal.sqlite").to_dict("records")
    assert math.isnan(row["emotional_reaction"])
    assert (row["unrated"], row["said_goal"], row["goals_served"]) == ("no answer", "g", ["g"])
    assert json.loads(row["witnesses"])["judge"]["values"]["emotional_reaction"] == 2


def test_a_frame_has_a_row_a_turn_and_numbers_where_numbers_are(run: Path) -> None:
    frame = turns_frame(run / "journal.sqlite")
    assert list(frame.columns) == list(export_columns("turns"))
    assert frame["turn"].tolist() == [1, 2, 3, 4, 5, 6] * 8
    assert frame.groupby("candidate")["emotional_reaction"].mean().between(0, 2).all()


@pytest.mark.parametrize("shape", ["turns", "conversations"])
def test_every_format_holds_the_same(run: Path, tmp_path: Path, shape: Shape) -> None:
    from datasets import load_from_disk

    journal = run / "journal.sqlite"
    counts = {
        export(journal, tmp_path / "a.parquet", "parquet", shape),
        export(journal, tmp_path / "a.jsonl", "jsonl", shape),
        export(journal, tmp_path / "a", "datasets", shape),
    }
    assert counts == {48 if shape == "turns" else 9}
    parquet = pq.read_table(tmp_path / "a.parquet").to_pylist()
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == parquet
    assert load_from_disk(str(tmp_path / "a")).to_list() == parquet
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.jsonl", "a.parquet"]  # nothing half-made


def test_a_row_a_conversation(run: Path, tmp_path: Path) -> None:
    export(run / "journal.sqlite", tmp_path / "talks.jsonl", "jsonl", "conversations")
    rows = [json.loads(line) for line in (tmp_path / "talks.jsonl").read_text(encoding="utf-8").splitlines()]
    for row, episode in zip(rows, read_episodes(run / "journal.sqlite"), strict=True):
        said = [(message["role"], message["content"]) for message in row["messages"]]
        assert said == [pair for turn in episode.turns for pair in (("user", turn.user), ("assistant", turn.reply))]
        assert (row["turns"], row["error"]) == (len(episode.turns), episode.error)


def test_every_column_says_what_it_means() -> None:
    for shape in ("turns", "conversations"):
        schema = arrow_schema(shape)  # type: ignore[arg-type]
        assert all(len(field.metadata[b"meaning"]) > 5 for field in schema)


def test_what_cannot_be_is_told(run: Path, tmp_path: Path) -> None:
    (tmp_path / "there.jsonl").write_text("mine")
    with pytest.raises(InputError, match="is there already; name another --out"):
        export(run / "journal.sqlite", tmp_path / "there.jsonl", "jsonl")
    assert (tmp_path / "there.jsonl").read_text() == "mine"
    with pytest.raises(InputError, match="there is no journal here"):
        export(tmp_path / "journal.sqlite", tmp_path / "x.jsonl", "jsonl")
    with pytest.raises(InputError, match="cannot be written"):
        export(run / "journal.sqlite", tmp_path / "there.jsonl" / "x.jsonl", "jsonl")


def test_the_command(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "turns.jsonl"
    assert run_command(["export", str(run), "--to", "jsonl", "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("48 turns in ")
    assert run_command(["export", str(run), "--schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["felt_interest"]["type"] == "double"
    assert run_command(["export", str(run)]) == 2


def test_thoughts_are_whole_and_outcomes_are_named(tmp_path: Path) -> None:
    said = Intention("feel", feeling="anxious")
    thought = "They are sad. " * 100
    first = TurnRecord("e", 1, "I am sad.", said, "Oh.", {}, {}, 50.0, {}, thoughts=thought)
    second = replace(first, turn=2, reply="", outcome="thoughts only")
    spec = EpisodeSpec("amira", "bug_hunt", "base", 1, 3)
    with Journal.create(tmp_path / "journal.sqlite", {}) as journal:
        journal.plan([spec])
        for turn in (first, second, replace(first, turn=3, thoughts="")):
            journal.append(replace(turn, episode_id=spec.id))
    export(tmp_path / "journal.sqlite", tmp_path / "t.jsonl", "jsonl")
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [(line["outcome"], line["thoughts"]) for line in lines] == [
        ("answered", thought),
        ("thoughts only", thought),
        ("answered", None),
    ]
