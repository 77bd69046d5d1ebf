"""Which folder of labelled data is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.errors import DataError
from holdfast.simulator.validation import folder
from holdfast.simulator.validation.folder import VARIABLE, data_folder


def test_the_option_comes_before_the_variable_before_the_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for each in (one, two, three):
        each.mkdir()
    monkeypatch.setattr(folder, "BESIDE", three)
    monkeypatch.setenv(VARIABLE, str(two))
    assert data_folder(one) == one
    assert data_folder() == two
    monkeypatch.delenv(VARIABLE)
    assert data_folder() == three


def test_the_neighbour_is_beside_the_repository() -> None:
    root = Path(folder.__file__).parents[4]
    assert (root / "pyproject.toml").exists()
    assert root.parent / "shared" / "data" == folder.BESIDE


def test_a_folder_that_is_not_there_is_an_error_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "BESIDE", tmp_path)  # a wrong choice never falls through to the next
    with pytest.raises(DataError, match=r"nowhere \(from --data\): no such folder.*--data DIR or HOLDFAST_DATA"):
        data_folder(tmp_path / "nowhere")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"gone \(from HOLDFAST_DATA\)"):
        data_folder()
