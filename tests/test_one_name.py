"""One import name: our modules are ``holdfast.…`` and nothing else, and the links at the top lead to their packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import holdfast

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("simulator", "personas", "agents", "adapters")
IMPORT_ALL = """
import importlib, pkgutil, sys
import holdfast
for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    if not module.name.startswith("holdfast.simulator.on_ray"):  # Ray is an extra
        importlib.import_module(module.name)
inside = holdfast.__path__[0]
print([name for name, module in sys.modules.items()
       if (getattr(module, "__file__", None) or "").startswith(inside) and not name.startswith("holdfast")])
"""


def test_links_lead_to_their_packages() -> None:
    for name in ROOMS:
        link = ROOT / name
        assert link.is_symlink()
        assert link.readlink() == Path("src/holdfast", name)
        assert (link / "__init__.py").samefile(Path(holdfast.__path__[0], name, "__init__.py"))


@pytest.mark.slow
def test_no_module_of_ours_is_imported_under_another_name(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_this_very_run_imports_us_under_one_name() -> None:
    inside = holdfast.__path__[0]
    others = [
        name
        for name, module in sys.modules.items()
        if (getattr(module, "__file__", None) or "").startswith((inside, *(str(ROOT / room) for room in ROOMS)))
        and name.partition(".")[0] != "holdfast"
    ]
    assert others == []
    assert str(ROOT) not in sys.path
