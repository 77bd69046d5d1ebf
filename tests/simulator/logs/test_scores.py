"""The scores of every reply as rows: the same in every format, and what the results are made of."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.scores import score_columns
from holdfast.simulator.logs.sources import open_sources

KIND, GERMAN = "I am so sorry, that sounds hard.", "Das tut mir sehr leid, ich verstehe deine Sorgen und wünsche Kraft."
REPLIES = ("", KIND, GERMAN, "no " * 9, "What worries you the most?")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three conversations of five turns: an empty reply, a kind one, a German one, a loop, a question."""
    talks = []
    for number in range(3):
        said = [m for reply in REPLIES for m in (LogMessage("user", "I lost my job."), LogMessage("assistant", reply))]
        columns = {"model": "a" if number else "b"}
        talks.append(Conversation(f"c{number}", "", tuple(said), "ann" if number else "", columns))
    writer = FORMATS["messages"].writer
    assert writer is not None
    writer.write(talks, tmp_path / "log.jsonl")
    return tmp_path / "log.jsonl"


def test_a_row_a_reply(log: Path, tmp_path: Path) -> None:
    raters = {"linear": GatedRater(LinearRater()), "felt": GatedRater(FittedRater(SHIPPED_PERCEIVED))}
    out = tmp_path / "turns.parquet"
    results, _ = measure_files(open_sources([log]), pattern="companion", raters=raters, scores_out=out)
    table = pq.read_table(out)
    assert table.schema.names == list(score_columns(raters))
    assert table.schema.field("adherence").metadata[b"meaning"].startswith(b"to the pattern, 0-1")
    rows = table.to_pylist()
    assert [(row["conversation"], row["turn"]) for row in rows] == [(f"c{n}", t) for n in range(3) for t in range(1, 6)]
    empty, kind, german, loop, _question = rows[5:10]
    assert (kind["file"], kind["group"], kind["speaker"], kind["reply_words"]) == ("log.jsonl", "a", "ann", 7)
    assert kind["place"].endswith("log.jsonl:2")
    assert rows[0]["speaker"] is None
    levels = LinearRater().model.levels([KIND])[0]
    assert [kind[name] for name in LinearRater().scale.dimensions] == pytest.approx(levels.tolist())
    assert [row["disqualified"] for row in (empty, kind, german, loop)] == ["empty", None, None, "loop"]
    assert (german["unrated"] is None, german["adherence"], german["exploration"]) == (False, None, None)
    assert (loop["adherence"], loop["exploration"], loop["unrated"]) == (0.0, None, None)
    assert 1 <= kind["felt: affective_understanding"] <= 5
    assert loop["felt: disqualified"] == "loop"
    means = [
        np.mean([row["adherence"] for row in rows if row["conversation"] == name and row["adherence"] is not None])
        for name in ("c1", "c2")
    ]
    assert results.groups["a"].measures["adherence"].mean.mean == pytest.approx(np.mean(means))
    assert json.loads(kind["raters"])["linear"]["version"] == LinearRater().identity.version


def test_the_passage_is_known_by_its_hash(log: Path, tmp_path: Path) -> None:
    """The hash of the conversation up to the reply, without replies that were empty: what a rater was shown."""
    measure_files(open_sources([log]), scores_out=tmp_path / "turns.jsonl")
    second = json.loads((tmp_path / "turns.jsonl").read_text().splitlines()[1])
    shown = [("user", "I lost my job."), ("user", "I lost my job."), ("assistant", KIND)]
    lines = [json.dumps({"message": n, "from": who, "text": text}) for n, (who, text) in enumerate(shown, start=1)]
    assert second["passage_sha256"] == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_every_format_holds_the_same(log: Path, tmp_path: Path) -> None:
    for ending in (".parquet", ".jsonl", ".csv"):
        measure_files(open_sources([log]), scores_out=tmp_path / f"turns{ending}")
    rows = pq.read_table(tmp_path / "turns.parquet").to_pylist()
    assert [json.loads(line) for line in (tmp_path / "turns.jsonl").read_text().splitlines()] == rows
    with (tmp_path / "turns.csv").open(newline="") as file:
        cells = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
        assert list(csv.DictReader(file)) == cells


def test_text_that_utf8_cannot_hold_is_no_obstacle(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": KIND + " \ud800"}]
    (tmp_path / "log.jsonl").write_text(json.dumps({"id": "c\ud800", "messages": said}))
    measure_files(open_sources([tmp_path / "log.jsonl"]), scores_out=tmp_path / "turns.parquet")
    (row,) = pq.read_table(tmp_path / "turns.parquet").to_pylist()
    assert row["conversation"] in {"c?", "c\ufffd"}


def test_where_no_file_can_be_written(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there.csv").write_text("mine")
    for name, said in (
        ("turns.xlsx", r"--scores-out: 'turns.xlsx' has no known ending \(allowed: .parquet, .jsonl, .csv\)"),
        ("there.csv", "there.csv is there already; remove it, or name another file"),
        ("log.jsonl/turns.csv", "cannot be written"),
    ):
        with pytest.raises(InputError, match=said):
            measure_files(open_sources([log]), scores_out=tmp_path / name)
    assert (tmp_path / "there.csv").read_text() == "mine"
    with pytest.raises(InputError, match="no conversation has a column"):
        measure_files(open_sources([log]), by=["modl"], scores_out=tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()
    assert run_command(["measure", str(log), "--scores-out", str(tmp_path / "t.csv")]) == 0
    assert f"scores   {tmp_path / 't.csv'}" in capsys.readouterr().out
