"""Files of folders that others made: refused in bounded time and memory, and nothing is written through a link."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from holdfast.adapters.routing.router import WordRouter
from holdfast.adapters.training.store import card_fields
from holdfast.agents.models.local.folders import check_model_folder
from holdfast.agents.models.opening import open_models, references
from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.atomic import drafted, write_json
from holdfast.core.errors import HoldfastError, InputError, ModelError
from holdfast.core.files import link_outside, open_file, read_file
from holdfast.core.hashing import settings_sha256s, weights_sha256
from holdfast.core.jsonl import write_lines
from holdfast.core.yaml_source import read_yaml
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.results.store import read_results
from holdfast.simulator.runtime.run_folder import read_run_file

ODD: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "socket": lambda path: socket.socket(socket.AF_UNIX).bind(os.fspath(path)),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
}
READERS: dict[str, Callable[[Path], object]] = {
    "study.yaml": lambda folder: read_yaml(folder / "study.yaml"),
    "run.json": read_run_file,
    "results.json": read_results,
    "journal.sqlite": lambda folder: Journal.read(folder / "journal.sqlite"),
    "journal.lock": lambda folder: Journal.create(folder / "journal.sqlite", {}),
    "router.npz": lambda folder: WordRouter.load(folder / "router.npz"),
    "model.safetensors": weights_sha256,
    "tokenizer.json": settings_sha256s,
    "weights.npz": lambda folder: LinearRater(folder).identity,
    "answers.sqlite": lambda folder: ResponseCache(folder / "answers.sqlite"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, name: str, odd: str) -> None:
    ODD[odd](tmp_path / name)
    outcome: list[BaseException | None] = []

    def read() -> None:
        try:
            READERS[name](tmp_path)
            outcome.append(None)
        except HoldfastError as error:
            outcome.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert outcome, "it waits"
    assert isinstance(outcome[0], HoldfastError)


def test_an_ordinary_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    with open_file(tmp_path / "link") as file:
        assert file.read() == b"abc"
    with pytest.raises(OSError, match=r"holds 3 bytes where at most 2 are read"):
        read_file(tmp_path / "file", 2)


def test_a_huge_file_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("")
    with (tmp_path / "tokenizer.json").open("wb") as file:
        file.truncate(1 << 40)  # sparse: a terabyte of nothing
    with pytest.raises(ModelError, match=r"tokenizer\.json: holds 1,099,511,627,776 bytes where at most"):
        check_model_folder(tmp_path)
    os.rename(tmp_path / "tokenizer.json", tmp_path / "run.json")
    with pytest.raises(InputError, match=r"run\.json: cannot be read as JSON"):
        read_run_file(tmp_path)


def test_arrays_that_unpack_to_a_terabyte(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "router.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bias.npy", "w") as entry,
    ):
        for _ in range(1100):
            entry.write(bytes(1 << 20))
    with pytest.raises(ModelError, match=r"its arrays take 1,153,433,600 bytes where at most"):
        WordRouter.load(tmp_path / "router.npz")


def test_an_alias_bomb_in_an_adapters_card(tmp_path: Path) -> None:
    lines = ["holdfast: &a0 [x, x]", *(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]
    (tmp_path / "README.md").write_text("---\n" + "\n".join(lines) + "\n---\n")
    with pytest.raises(ModelError, match="anchor &a0 is not allowed"):
        card_fields(tmp_path)
    (tmp_path / "README.md").write_text("---\nlicense: &a mit\nother: *a\n---\n")
    assert card_fields(tmp_path) == {}  # a card of another tool


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out"
    out.mkdir()
    victim.write_text("mine")
    for name in ("run.json", ".run.json.part", "lines.jsonl", ".lines.jsonl.part", "router.npz"):
        (out / name).symlink_to(victim)
    write_json(out / "run.json", {"a": 1})
    write_lines([], out / "lines.jsonl")
    WordRouter(("a",), ("b",), np.zeros(1), np.zeros((1, 1)), np.zeros(1)).save(out / "router.npz")
    assert victim.read_text() == "mine"
    assert json.loads((out / "run.json").read_text()) == {"a": 1}
    assert WordRouter.load(out / "router.npz").tasks == ("a",)


def test_a_link_that_leads_out_of_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "adapters" / "solver").mkdir(parents=True)
    (run / "adapters" / "again").symlink_to(run / "adapters" / "solver")
    assert link_outside(run, "adapters", "dialogues") is None
    (run / "adapters" / "solver" / "README.md").symlink_to(tmp_path / "elsewhere")
    assert link_outside(run, "adapters", "dialogues") == run / "adapters" / "solver" / "README.md"
    (run / "dialogues").symlink_to(tmp_path)
    assert link_outside(run, "dialogues") == run / "dialogues"


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    with drafted(tmp_path / "page") as first, drafted(tmp_path / "page") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "page").read_text() == "first"  # the last to end
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


# --- a cache that is something else --------------------------------------------------------------------------------


def foreign(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()
    return path


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE mine (a)",),
        ("CREATE TABLE answers (question, answer)",),
        ("CREATE TABLE answers (key, answer)", "CREATE TABLE mine (a)"),
        ("PRAGMA journal_mode=WAL", "CREATE TABLE mine (a)"),
        ("CREATE VIEW mine AS SELECT 1",),
    ],
)
def test_another_programs_database_is_left_as_it_is(tmp_path: Path, statements: tuple[str, ...]) -> None:
    path = foreign(tmp_path / "other.db", *statements)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is another program's database; it is left as it is"):
        ResponseCache(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["other.db"]


def test_a_cache_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("notes")
    with pytest.raises(InputError, match=r"cannot be opened \(file is not a database\); it is left as it is"):
        ResponseCache(tmp_path / "notes")
    ResponseCache(tmp_path / "new").close()
    ResponseCache(tmp_path / "new").close()  # ours
    with pytest.raises(InputError, match=r"cannot be opened \(Is a directory\); name another file"):
        ResponseCache(tmp_path)


def test_a_cache_in_the_home_of_nobody() -> None:
    spec = ModelSpec(ref="openai:m", base_url="http://127.0.0.1:9/v1", cache="~nouser/x")
    with pytest.raises(InputError, match="~nouser/x: no home folder is known for that user"):
        open_models(references([spec], Path()))
