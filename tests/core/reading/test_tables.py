"""Tables: CSV with any delimiter, JSON lines and Parquet; each row with its place, broken ones told."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest

from holdfast.core.errors import DataError, InputError
from holdfast.core.reading.delimited import csv_rows, delimiter_of
from holdfast.core.reading.skips import BrokenRow
from holdfast.core.reading.tables import labelled_rows, table_of


def read(path: Path, text: str) -> tuple[list[str], list[object]]:
    """The header, and of each row its cells or why it is broken."""
    path.write_bytes(text.encode())
    with csv_rows(path) as (header, rows):
        return header, [f"{row.skip}" if isinstance(row, BrokenRow) else row[1] for row in rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter, tmp_path):
    text = f'"a, b;c"{delimiter}d\n"x,{delimiter}y"{delimiter}"l1\nl2"\n'
    header, rows = read(tmp_path / "x.csv", text)
    assert header == ["a, b;c", "d"]
    assert rows == [{"a, b;c": f"x,{delimiter}y", "d": "l1\nl2"}]


def test_the_first_line_of_excel(tmp_path):
    assert read(tmp_path / "x.csv", "sep=;\r\na;b\r\n1,5;2\r\n") == (["a", "b"], [{"a": "1,5", "b": "2"}])
    assert delimiter_of("one") == ","


def test_a_column_without_a_name_is_left_out(tmp_path):
    assert read(tmp_path / "x.csv", ",a\n0,x\n") == (["", "a"], [{"a": "x"}])


def test_broken_rows_have_their_place(tmp_path):
    _, rows = read(tmp_path / "x.csv", 'a,b\n1,2\n1,2,3\n"x"y,2\n3,4\n5,"never closed\n6,7\n')
    assert rows[0::3] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert "x.csv:3: the row has too few or too many columns (3 where the header has 2)" in rows[1]
    assert "x.csv:4: not CSV" in rows[2]
    assert "x.csv:6: not CSV (unexpected end of data)" in rows[4]


def test_names_that_stand_twice_are_an_error(tmp_path):
    with pytest.raises(InputError, match=r"x.csv:1: has 1 column names that stand twice, such as 'a'"):
        read(tmp_path / "x.csv", "a,a\n1,2\n")


def test_one_table_in_every_container(tmp_path):
    rows = [{"id": "1", "n": 1, "list": [1]}, {"id": "2", "n": 2, "list": []}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pandas.DataFrame(rows).to_parquet(tmp_path / "x.parquet")
    for name in ("x.jsonl", "x.parquet"):
        table = table_of(tmp_path / name)
        assert table.columns == ("id", "n", "list")
        assert [row[1] for row in table.rows() if not isinstance(row, BrokenRow)] == rows


def test_labels_may_lose_no_row(tmp_path):
    path = tmp_path / "labels.csv"
    (tmp_path / "labels.jsonl").write_text('{"a": 1.0, "b": null}\n{"a": [1], "b": "x"}\n')
    assert [row for _, row in labelled_rows(path, ("a", "b"))] == [{"a": "1", "b": ""}, {"a": "[1]", "b": "x"}]
    (tmp_path / "labels.jsonl").write_text('{"a": 1, "b": 2}\n{"a": 1}\n')
    with pytest.raises(DataError, match=r"labels.jsonl:2: the row lacks b"):
        list(labelled_rows(path, ("a", "b")))
    (tmp_path / "labels.jsonl").write_text('{"a": 1, "b": 2}\n{oh\n')
    with pytest.raises(DataError, match=r"labels.jsonl:2: not JSON.*must be whole"):
        list(labelled_rows(path, ("a", "b")))
    with pytest.raises(DataError, match="columns absent: c"):
        list(labelled_rows(path, ("c",)))
    with pytest.raises(DataError, match="cannot be read"):
        list(labelled_rows(tmp_path / "none.csv", ("c",)))
