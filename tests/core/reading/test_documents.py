"""JSON values in every arrangement, each with its place; broken ones are told and cost no others."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from holdfast.core.reading import documents
from holdfast.core.reading.documents import json_documents
from holdfast.core.reading.skips import SkippedLine


def is_part(value: object) -> bool:
    return isinstance(value, dict) and "role" in value


def read(path: Path, text: str) -> list[object]:
    """The values, and of what was skipped its line and reason."""
    path.write_text(text, encoding="utf-8")
    return [
        f"{each.place.rsplit(':')[-1]}: {each.reason}" if isinstance(each, SkippedLine) else each[1]
        for each in json_documents(path, is_part)
    ]


A, B = {"a": 1}, {"b": [2, {"c": "x"}]}
M = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}\n{"b": [2, {"c": "x"}]}\n', [A, B]),
        ('\n\n{"a": 1}\n\n{"b": [2, {"c": "x"}]}', [A, B]),
        ('[{"a": 1}, {"b": [2, {"c": "x"}]}]', [A, B]),
        ('[\n{"a": 1},\n{"b": [2, {"c": "x"}]}\n]\n', [A, B]),
        ('[{"a": 1}]\n[{"b": [2, {"c": "x"}]}]\n', [A, B]),
        ('{ "a":\n 1 }', [A]),
        ('{"a": 1}{"b": [2, {"c": "x"}]}', [A, B]),
        ('{\n"a": 1\n}\n{\n"b": [2, {"c": "x"}]\n}\n', [A, B]),
        (json.dumps(A, indent=2) + json.dumps([A, B], indent=1), [A, A, B]),
        (json.dumps(M), [M]),
        (json.dumps(M, indent=1), [M]),
        (json.dumps(M) + "\n" + json.dumps(M), [M, M]),
        (json.dumps([M, M], indent=1), [M, M]),
        (json.dumps([M, M]), [M, M]),
        (json.dumps(M, indent=1) + "\n" + json.dumps(M, indent=1), [M, M]),
        ("[]", []),
        ("", []),
        ("7", [7]),
        ('{broken\n{"a": 1}\n', ["1: not JSON", A]),
        ('{"a": 1}\n{broken\n{"a": 1}\n', [A, "2: not JSON", A]),
        ('{"a": 1}\n{"b": "cut', [A, "2: not JSON"]),
        ('[{"a": 1}, {"b" oh', [A, "1: not JSON: the rest of the array was not read"]),
        ('[\n{"a": 1},\n', [A, "3: the array is cut off: it has no end"]),
        ('{"a": 1}\n' + "[" * 100_000, [A, "2: nested too deeply"]),
        ('{"a": 1}\n{"b": 1' + "0" * 5000 + "}", [A, "2: not JSON"]),
    ],
)
def test_arrangements(text, expected, tmp_path):
    values = read(tmp_path / "x", text)
    assert values == ([[]] if text == "[]" and values == [[]] else expected)


def test_windows_of_any_size_give_the_same(tmp_path, monkeypatch):
    values = [{"n": number, "text": "ä" * (number % 7), "list": list(range(number % 5))} for number in range(300)]
    for indent in (None, 1):
        for size in (1, 7, 64, 4096):
            monkeypatch.setattr(documents, "CHUNK", size)
            assert read(tmp_path / "x", json.dumps(values, indent=indent, ensure_ascii=False)) == values


def test_lines_that_are_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_LINE", 50)
    assert read(tmp_path / "x", '{"a": 1}\n{"b": "' + "x" * 500 + '"}\n{"a": 1}\n') == [
        A, "2: longer than 50 bytes", A
    ]  # fmt: skip


def test_bytes_that_are_no_text_cost_one_value(tmp_path):
    lines = [b'{"t": "d\xc3\xa9j\xc3\xa0"}', b'{"t": "caf\xe9"}', b'{"a": 1}']
    for data in (b"\n".join(lines), b"[" + b",\n".join(lines) + b"]"):
        (tmp_path / "x").write_bytes(data)
        values = [str(each) if isinstance(each, SkippedLine) else each[1] for each in json_documents(tmp_path / "x")]
        assert values[0::2] == [{"t": "déjà"}, A]
        assert ":2: not UTF-8" in values[1]


def test_any_cut_of_an_array_gives_its_beginning(tmp_path):
    values = [{"n": number, "text": 'a "quoted" \\ text'} for number in range(40)]
    text = json.dumps(values, indent=1)
    rng = random.Random(1)
    for _ in range(60):
        cut = text[: rng.randrange(2, len(text) - 1)]
        back = [value for value in read(tmp_path / "x", cut) if isinstance(value, dict)]
        assert back == values[: len(back)]
        assert len(back) >= cut.count("}") - 1
