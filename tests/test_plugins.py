"""A package of somebody else's, installed by pip, brings a candidate, a rater and a log format."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the package."""
    folder = tmp_path_factory.mktemp("plugin")
    source, target = folder / "source", folder / "target"
    shutil.copytree(ROOT / "tests" / "plugin_package", source)
    how = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "install", *how, "--target", target, source], check=True)
    return target


def holdfast(installed: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH", ""))))
    run = "from holdfast.simulator.cli.main import main; main()"
    command = [sys.executable, "-P", "-c", run, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


def test_what_it_brings_is_listed_and_what_fails_is_named(installed: Path, tmp_path: Path) -> None:
    listed = json.loads(holdfast(installed, "plugins", "--json", cwd=tmp_path).stdout)
    by_name = {row["name"]: row for row in listed}
    assert by_name["parrot"] == {
        "kind": "candidates",
        "name": "parrot",
        "package": "holdfast-plugin-of-a-test 1.2.0",
        "state": "ready",
    }
    assert by_name["shortness"]["kind"] == "raters"
    assert by_name["lines"]["kind"] == "log_formats"
    assert by_name["broken_bird"]["state"].startswith("AttributeError: ")


def test_its_candidate_and_its_rater_take_part_in_a_study(installed: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        "turns: 3\npersonas: {ids: [jun_park]}\ncandidates: [parrot]\nraters: [linear, shortness]\n", encoding="utf-8"
    )
    done = holdfast(installed, "run", study, "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    exported = holdfast(
        installed, "export", tmp_path / "out", "--to", "jsonl", "--out", tmp_path / "t.jsonl", cwd=tmp_path
    )
    assert exported.returncode == 0, exported.stderr
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    turns = rows[0].get("turns", rows)
    assert [turn["reply"].split("\n\n")[0] for turn in turns] == ["Turn 1.", "Turn 2.", "Turn 3."]
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert [rater["name"] for rater in results["raters"]] == ["linear", "shortness"]
    bad = tmp_path / "bad.yaml"
    bad.write_text("candidates: [parrott]\n", encoding="utf-8")
    refused = holdfast(installed, "study", "check", bad, cwd=tmp_path)
    assert refused.returncode == 2
    assert "did you mean 'parrot'?" in refused.stderr


def test_its_log_format_is_recognised(installed: Path, tmp_path: Path) -> None:
    log = tmp_path / "talk.txt"
    log.write_text("#lines\n> I am sad.\n< I am so sorry to hear that.\n", encoding="utf-8")
    done = holdfast(installed, "measure", log, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["format"] == "lines"
