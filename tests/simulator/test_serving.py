"""Commands and folders for serving a run's adapters; and, slowly, a real server of them beside this process."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from holdfast.adapters.micro import base_path
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import write_study
from holdfast.simulator.serving import link, served
from tests.agents.models.conftest import build_adapter
from tests.servers.transformers_serve import free_port, transformers_serve


def study(**more: object) -> StudyConfig:
    return StudyConfig.model_validate({"candidates": ("base", {"kind": "adapter", "adapter": "warm"})} | more)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with two adapters, of ranks 4 and 20."""
    folder = tmp_path / "a run"
    for name, config in (("warm", {"r": 4}), ("cool", {"r": 8, "rank_pattern": {"q_proj": 20}})):
        place = folder / "adapters" / name
        place.mkdir(parents=True)
        (place / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", **config}))
        (place / "adapter_model.safetensors").write_bytes(b"not read here")
        (place / "README.md").write_text(name)
    write_study(study(training={}), folder / "study.yaml")
    return folder


def test_the_vllm_command(run: Path) -> None:
    words = shlex.split(served(run, port=9000).vllm())
    assert words[:3] == ["vllm", "serve", str(base_path())]
    assert words[words.index("--max-lora-rank") + 1] == "32"  # the least that vLLM takes and that holds rank 20
    at = words.index("--lora-modules")
    assert words[at + 1 : at + 3] == [f"cool={run}/adapters/cool", f"warm={run}/adapters/warm"]
    assert words[-2:] == ["--port", "9000"]


def test_the_yaml_to_paste_is_a_study_of_people_that_were_not_trained_on(run: Path) -> None:
    what = served(run)
    for lines in (what.study_for_vllm(), what.study_for_transformers(run / "served")):
        pasted = study(**yaml.safe_load(lines) | {"personas": {"ids": tuple(what.tested)}})
        assert pasted.model.base_url == "http://127.0.0.1:8000/v1"
        assert pasted.adapters == str(run / "adapters")
    assert 0 < len(what.tested) < 32


def test_folders_of_links_hold_base_and_adapter(run: Path, tmp_path: Path) -> None:
    what, place = served(run), tmp_path / "served"
    assert [path.name for path in link(what, place)] == ["base", "cool", "warm"]
    link(what, place)  # again
    assert (place / "warm" / "README.md").read_text() == "warm"  # the adapter's own, not the base's
    assert (place / "warm" / "config.json").resolve() == (base_path() / "config.json").resolve()
    assert not (place / "base" / "adapter_config.json").exists()


def test_nothing_of_the_users_is_removed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "served" / "base").mkdir(parents=True)
    (tmp_path / "served" / "base" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds thesis.txt, which is no link"):
        link(served(run), tmp_path / "served")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda run: (run / "study.yaml").unlink(), "holds no study.yaml: not a run folder"),
        (lambda run: (run / "adapters" / "warm" / "adapter_config.json").write_text("{"), "says no LoRA rank"),
        (lambda run: (run / "adapters").rename(run / "elsewhere"), "no such folder of adapters"),
        (
            lambda run: write_study(study(model={"ref": "openai:m", "base_url": "http://x/v1"}), run / "study.yaml"),
            "its model, openai:m at http://x/v1, is served already",
        ),
    ],
)
def test_what_cannot_be_served(run: Path, break_it: object, says: str) -> None:
    break_it(run)  # type: ignore[operator]
    with pytest.raises(InputError, match=says):
        served(run)


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["serve-hint", str(run)]) == 0
    said = capsys.readouterr().out
    assert "vllm serve" in said
    assert "--link" in said
    assert run_command(["serve-hint", str(run), "--json", "--link", str(run / "served")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["transformers"]["study"]["model"]["served_as"] == f"{run}/served/{{adapter}}"
    assert run_command(["serve-hint", str(run / "adapters")]) == 2
    assert "not a run folder" in capsys.readouterr().err


# --- a real server -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_greedy_transcripts_of_transformers_serve_equal_those_in_process(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn and fastapi")
    from holdfast import Study
    from holdfast.simulator.journal.store import read_episodes

    folder = tmp_path / "run"
    for seed, name in enumerate(("warm", "cool")):
        build_adapter(base_path(), folder / "adapters" / name, seed, targets=["q_proj", "v_proj"])
    candidates = (
        "base",
        "system_prompt",
        *({"kind": "adapter", "adapter": name, "name": name} for name in ("warm", "cool")),
    )
    local = study(
        candidates=candidates, turns=5, adapters=str(folder / "adapters"), sampling={"temperature": 0.0},
        personas={"ids": ("jun_park", "amara_okafor")},
    )  # fmt: skip
    write_study(local, folder / "study.yaml")
    what = served(folder, port=free_port())
    link(what, tmp_path / "served")
    lines = yaml.safe_load(what.study_for_transformers(tmp_path / "served"))
    remote = StudyConfig.model_validate(local.model_dump(mode="json") | lines)
    with transformers_serve(what, tmp_path / "home"):
        Study(remote).run(tmp_path / "there")
    Study(local).run(tmp_path / "here")
    there, here = (
        {
            (episode.spec.id, turn.turn): (turn.user, turn.reply)
            for episode in read_episodes(out)
            for turn in episode.turns
        }
        for out in (tmp_path / "there" / "journal.sqlite", tmp_path / "here" / "journal.sqlite")
    )
    assert len(here) == 2 * 4 * 5
    assert there == here
    assert len({reply for _, reply in here.values()}) > 10
