"""Hashes of files and folders: always of what lies there now, and read once while it does not change."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.micro import base_path
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.linear.rater import SHIPPED, LinearRater
from holdfast.core import hashing
from holdfast.core.errors import ModelError
from holdfast.core.hashing import (
    MODEL_KINDS,
    file_sha256,
    files_sha256,
    settings_sha256s,
    weights_sha256,
)

HOUR_NS = 3600 * 10**9


def long_ago(file: Path) -> None:
    """Let a file's times be as those of one that nobody has touched for an hour, as far as they can be set."""
    os.utime(file, ns=(time.time_ns() - HOUR_NS,) * 2)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read to be hashed; all of them look settled."""
    names: list[str] = []
    digest = hashlib.file_digest

    def reading(file: Any, kind: str) -> Any:
        names.append(Path(file.name if isinstance(file.name, str) else os.readlink(f"/proc/self/fd/{file.name}")).name)
        return digest(file, kind)

    monkeypatch.setattr(hashing.hashlib, "file_digest", reading)
    monkeypatch.setattr(hashing, "_SETTLED_NS", -1)
    return names


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, read: list[str]) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    for _ in range(5):
        assert file_sha256(file) == hashlib.sha256(b"one").hexdigest()
    assert read == ["a"]
    file.rename(tmp_path / "b")
    (tmp_path / "c").hardlink_to(tmp_path / "b")
    assert file_sha256(tmp_path / "c") == hashlib.sha256(b"one").hexdigest()
    (tmp_path / "b").write_bytes(b"two!")
    assert file_sha256(tmp_path / "c") == hashlib.sha256(b"two!").hexdigest()
    file.write_bytes(b"two?")
    assert file_sha256(file) == hashlib.sha256(b"two?").hexdigest()


def test_the_weights_of_a_base_are_read_once(tmp_path: Path, read: list[str]) -> None:
    base = shutil.copytree(base_path(), tmp_path / "base")
    first = weights_sha256(base)
    for _ in range(9):
        assert (weights_sha256(base), *settings_sha256s(base).values()) == (first, *settings_sha256s(base).values())
    assert read.count("model.safetensors") == 1
    assert len(read) == len(set(read))


def test_a_change_of_the_same_size_is_seen_however_soon_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for number in range(300):
        text = f"{number:03}".encode()
        with file.open("r+b" if file.exists() else "wb") as opened:  # the same inode, size, and often the same time
            opened.write(text)
        assert file_sha256(file) == hashlib.sha256(text).hexdigest()


def test_times_that_are_set_back_hide_no_change(tmp_path: Path, read: list[str]) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    long_ago(file)
    before = file.stat().st_mtime_ns
    file_sha256(file)
    time.sleep(0.02)  # longer than the clock of a file system ticks
    file.write_bytes(b"two")
    os.utime(file, ns=(before, before))
    assert file_sha256(file) == hashlib.sha256(b"two").hexdigest()


def test_not_more_than_so_many_files_are_remembered(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_MOST_KNOWN", 3)
    for number in range(9):
        (tmp_path / str(number)).write_text(str(number))
        file_sha256(tmp_path / str(number))
    assert len(hashing._known) <= 3


def test_what_editors_leave_belongs_to_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    for name in ("config.json", "tokenizer.json", "LICENSE.txt"):
        (tmp_path / name).write_text(name)
    before = settings_sha256s(tmp_path), weights_sha256(tmp_path)
    assert set(before[0]) == {"config.json", "tokenizer.json"}
    leftovers = (".config.json.swp", "config.json~", "#config.json#", ".#config.json", "~$notes.txt", "._config.json")
    for name in (*leftovers, ".config.json.part", ".model.safetensors", "model.safetensors.part"):
        (tmp_path / name).write_text("other")
    assert (settings_sha256s(tmp_path), weights_sha256(tmp_path)) == before


def test_every_kind_of_file_that_is_fetched_is_hashed(tmp_path: Path) -> None:
    for kind in MODEL_KINDS:
        (tmp_path / f"file{kind}").write_text("x")
    hashed = {*settings_sha256s(tmp_path), "file.safetensors"}
    assert hashed == {f"file{kind}" for kind in MODEL_KINDS}


def test_raters_are_told_apart_by_all_their_files(tmp_path: Path) -> None:
    for folder, names, identity in (
        (SHIPPED, ("weights.npz", "vocabulary.json"), LinearRater().identity),
        (SHIPPED_PERCEIVED, ("weights.npz", "vocabulary.json", "rater.json"), FittedRater(SHIPPED_PERCEIVED).identity),
    ):
        whole = b"".join((folder / name).read_bytes() for name in names)
        assert identity.version == hashlib.sha256(whole).hexdigest()[:12] == files_sha256(folder, *names)[:12]


def test_weights_that_are_gone_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no safetensors weights"):
        weights_sha256(tmp_path)
