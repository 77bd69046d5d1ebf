"""Results in a run folder: written whole or not at all, read as the model or refused with what to do."""

import json
import os
import stat

import pytest

from holdfast.core.errors import InputError
from holdfast.simulator.results.store import read_results, write_results
from tests.simulator.results.test_build import build, study


@pytest.fixture(scope="module")
def results():
    return build(study({"base": 0.9}), study_name="é")


def test_what_is_written_reads_back_the_same(tmp_path, results):
    write_results(tmp_path / "results.json", results)
    assert read_results(tmp_path) == results
    assert "é" in (tmp_path / "results.json").read_text(encoding="utf-8")
    assert stat.S_IMODE((tmp_path / "results.json").stat().st_mode) == 0o644


def test_writing_is_all_or_nothing(tmp_path, results):
    path = tmp_path / "results.json"
    write_results(path, results)
    with pytest.raises(OSError, match="Errno"):
        write_results(path / "results.json", results)  # a file is no folder
    assert read_results(tmp_path) == results
    assert os.listdir(tmp_path) == ["results.json"]


def test_results_of_the_old_shape_are_refused_with_the_command_that_makes_them_anew(tmp_path, results):
    old = json.loads(results.model_dump_json()) | {"schema_version": 1}
    del old["raters"]
    for candidate in old["candidates"].values():
        del candidate["kind"], candidate["title"], candidate["trained"]
    (tmp_path / "results.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_results(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'results.json'} was written by another version of holdfast: "
        f"'holdfast report {tmp_path}' makes it anew"
    )
