"""holdfast beside a distribution that owns ``adapters``, ``agents``, ``personas`` and ``simulator``.

openai-agents owns ``agents``. Wheels are built from copies and installed into new environments, which see the packages
of this one through a path file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINKS = ("adapters", "agents", "personas", "simulator")
STUB = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "stub"
version = "1.0"
[tool.setuptools]
packages = ["adapters", "agents", "personas", "simulator"]
"""
IMPORT_ALL = """
import adapters, agents, personas, simulator
import holdfast.agents
print(adapters.OWNER, agents.OWNER, personas.OWNER, simulator.OWNER, not hasattr(holdfast.agents, "OWNER"))
"""


def command(*arguments: str | Path, cwd: Path) -> str:
    """Run a command without this process's PYTHONPATH and return what it writes."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, arguments)], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(source: Path, form: str) -> Path:
    """Build ``source`` as a "wheel" or "editable" by its own backend, as pip does; return the file."""
    folder = source.with_name(f"{source.name}-{form}")
    folder.mkdir()
    build = f"from setuptools import build_meta; build_meta.build_{form}({str(folder)!r})"
    command(sys.executable, "-P", "-c", build, cwd=source)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build holdfast, its editable form, and the stub; return the wheel of each."""
    folder = tmp_path_factory.mktemp("sources")
    ours, stub = folder / "holdfast", folder / "stub"
    ours.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, ours)
    shutil.copytree(ROOT / "src", ours / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in LINKS:
        (ours / name).symlink_to((ROOT / name).readlink())
        (stub / name).mkdir(parents=True)
        (stub / name / "__init__.py").write_text('OWNER = "stub"\n')
    (stub / "pyproject.toml").write_text(STUB)
    return {
        "holdfast": built(ours, "wheel"),
        "editable": built(ours, "editable"),
        "stub": built(stub, "wheel"),
    }


def entries(*folders: Path) -> set[str]:
    return {f"{folder.name}/{path.name}" for folder in folders for path in folder.iterdir()}


def install_beside_the_stub(folder: Path, wheels: Sequence[Path]) -> tuple[Path, set[str]]:
    """Install ``wheels``, one after another, into a new environment.

    Returns:
        Its folder of programs, and what the wheels put there and into site-packages, without what is the stub's.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    programs = folder / "bin"
    python = entries(packages, programs)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", programs / "python")
    for wheel in wheels:
        command(*pip, "install", "-q", "--no-deps", "--no-index", "--no-compile", wheel, cwd=folder)
    added = entries(packages, programs) - python
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs, {name for name in added if name.split("/")[1] not in (*LINKS, "stub-1.0.dist-info")}


@pytest.mark.parametrize(
    "order",
    [
        ("holdfast", "stub"),
        pytest.param(("stub", "holdfast"), marks=pytest.mark.slow),
        pytest.param(("editable", "stub"), marks=pytest.mark.slow),
    ],
)
def test_each_is_found_by_its_own_name(order: tuple[str, str], wheels: dict[str, Path], tmp_path: Path) -> None:
    programs, ours = install_beside_the_stub(tmp_path / "env", [wheels[name] for name in order])
    name = f"holdfast-{version('holdfast')}"
    package = f"__editable__.{name}.pth" if "editable" in order else "holdfast"
    assert ours == {"bin/holdfast", f"site-packages/{package}", f"site-packages/{name}.dist-info"}
    where = command(programs / "python", "-c", IMPORT_ALL, cwd=tmp_path).split()
    assert where == ["stub"] * len(LINKS) + ["True"]
    assert "quickstart" in command(programs / "holdfast", "--help", cwd=tmp_path)
    assert "jun_park" in command(programs / "holdfast", "persona", "list", cwd=tmp_path)
