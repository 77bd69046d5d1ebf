from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.standins import build_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_base(tmp_path_factory.mktemp("models") / "tiny-base")


@pytest.fixture(scope="session")
def other_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the same kind as ``base``, but wider."""
    return build_base(tmp_path_factory.mktemp("models") / "wider-base", hidden=64, seed=1)
