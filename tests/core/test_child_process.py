"""A child process finds what this one finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.core.child_process import module_command, module_environment


def test_a_process_finds_the_modules_that_this_one_finds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "own_module.py").write_text("import sys; print(sys.argv[0], 'found')")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as in an interactive session
    command, environment = module_command("own_module"), module_environment()
    done = subprocess.run(
        command, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path}/here/own_module.py found\n"


def test_the_folder_that_it_runs_in_is_no_place_for_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("print('not the json of Python')")
    done = subprocess.run(
        module_command("json.tool"),
        cwd=tmp_path,
        env=module_environment(),
        input="[]",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
