"""A run that goes on with other files than it began with is refused, and the file is named."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from holdfast import Study
from holdfast.adapters.micro import base_path
from holdfast.adapters.routing.router import WordRouter
from holdfast.core.errors import BudgetError, HoldfastError, JournalError, TakenError
from holdfast.personas.loading import patterns
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.digests import row_digest
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from tests.agents.models.conftest import CONFIGS, build_adapter, build_model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, an adapter and a router, to be copied."""
    root = tmp_path_factory.mktemp("made")
    base = build_model(CONFIGS["llama"], root / "base")
    (base / "README.md").write_text("a card")
    build_adapter(base, root / "adapters" / "solver", 11)
    arrays = np.zeros(1), np.zeros((1, 2)), np.zeros(2)
    WordRouter(("bug_hunt", "burnout"), ("bug",), *arrays).save(root / "adapters" / "router.npz")
    return root


def study(made: Path, **changes: object) -> Study:
    fields = {
        "personas": {"ids": ["jun_park"]},
        "model": f"hf:{made / 'base'}",
        "adapters": str(made / "adapters"),
        "candidates": ["base", {"kind": "routed", "experts": dict.fromkeys(patterns(), "solver")}],
        "turns": 4,
        "sampling": {"max_tokens": 6},
    }
    return Study.of(**(fields | changes))


def begun(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the files, and a run with them that was stopped on its way."""
    files, out = tmp_path / "files", tmp_path / "run"
    shutil.copytree(made, files)
    with pytest.raises(BudgetError):
        study(files, budget={"tokens": 40}, concurrency=1).run(out)
    return files, out


def edit(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def add(path: Path, text: str) -> None:
    path.write_text((path.read_text() if path.exists() else "") + text)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)


def other_router(path: Path) -> None:
    router = WordRouter.load(path)
    WordRouter(router.tasks, router.vocabulary, router.rarity, router.weights, router.bias + 1).save(path)


CHANGES: dict[str, Callable[[Path], None]] = {
    "base: chat_template.jinja": lambda files: add(files / "base" / "chat_template.jinja", "hm"),
    "base: tokenizer.json": lambda files: add(files / "base" / "tokenizer.json", " "),
    "base: tokenizer_config.json": lambda files: edit(files / "base" / "tokenizer_config.json", eos_token="w1"),
    "base: config.json": lambda files: edit(files / "base" / "config.json", rms_norm_eps=0.5),
    "base: generation_config.json": lambda files: edit(files / "base" / "generation_config.json", eos_token_id=5),
    "base: special_tokens_map.json": lambda files: add(files / "base" / "special_tokens_map.json", "{}"),
    "base: additional_chat_templates/tool.jinja": lambda files: (
        (files / "base" / "additional_chat_templates").mkdir(),
        add(files / "base" / "additional_chat_templates" / "tool.jinja", "hm"),
    ),  # type: ignore[dict-item]
    "base: was": lambda files: flip(files / "base" / "model.safetensors"),
    "adapter solver: adapter_config.json": lambda files: edit(
        files / "adapters" / "solver" / "adapter_config.json", lora_alpha=64
    ),
    "adapter solver: was": lambda files: flip(files / "adapters" / "solver" / "adapter_model.safetensors"),
    "router: was": lambda files: other_router(files / "adapters" / "router.npz"),
}


@pytest.mark.parametrize("named", CHANGES)
def test_each_file_that_words_follow_from_is_compared(made: Path, tmp_path: Path, named: str) -> None:
    files, out = begun(made, tmp_path)
    before = (out / "journal.sqlite").read_bytes()
    CHANGES[named](files)
    with pytest.raises(TakenError, match="cannot resume, the study has changed") as caught:
        study(files).run(out, resume=True)
    assert named in str(caught.value)
    assert (out / "journal.sqlite").read_bytes() == before


def test_another_study_is_refused_before_a_model_is_loaded(made: Path, tmp_path: Path) -> None:
    files, out = begun(made, tmp_path)
    shutil.rmtree(files / "base")  # whoever loads it fails
    with pytest.raises(JournalError, match="the study has changed:\n  turns: was 4, now 5\nChange it back"):
        study(files, turns=5).run(out, resume=True)
    own = [patterns()["solver"].model_copy(update={"id": "calm"})]
    with pytest.raises(JournalError, match="patterns"):
        study(files, patterns=own).run(out, resume=True)
    with pytest.raises(HoldfastError, match="base") as caught:
        study(files).run(out, resume=True)
    assert "cannot resume" not in str(caught.value)


def test_many_differences_of_one_persona_are_one_line(made: Path, tmp_path: Path) -> None:
    files, out = begun(made, tmp_path)
    with pytest.raises(JournalError) as caught:
        study(files, personas={"ids": ["amara_okafor"]}).run(out, resume=True)
    _, amara, jun, way = str(caught.value).splitlines()
    assert re.fullmatch(r"  personas\.amara_okafor: \d+ values, the first \S+: was absent, now .*", amara)
    assert re.fullmatch(r"  personas\.jun_park: \d+ values, the first \S+: was .*, now absent", jun)
    assert way == "Change it back, or choose another --out"


def test_a_card_is_no_input_and_the_run_goes_on_as_if_never_stopped(made: Path, tmp_path: Path) -> None:
    files, out = begun(made, tmp_path)
    (files / "base" / "README.md").write_text("another card")
    study(files).run(out, resume=True)
    study(files).run(tmp_path / "calm")
    stopped, calm = (transcripts_sha256(read_episodes(run / "journal.sqlite")) for run in (out, tmp_path / "calm"))
    assert stopped == calm


def record(out: Path, change: Callable[[dict[str, str]], dict[str, str]], *, version: bool) -> None:
    """Change the inputs that a journal recorded; without ``version``, make it one from before there were versions."""
    with sqlite3.connect(out / "journal.sqlite") as db:
        (kept,) = db.execute("SELECT value FROM meta WHERE key = 'inputs'").fetchone()
        changed = json.dumps(change(json.loads(kept)), sort_keys=True)
        digest = row_digest("inputs", changed)
        db.execute("UPDATE meta SET value = ?, digest = ? WHERE key = 'inputs'", (changed, digest))
        if not version:
            db.execute("DELETE FROM meta WHERE key = 'inputs_version'")


def test_a_run_that_recorded_fewer_inputs_goes_on(made: Path, tmp_path: Path) -> None:
    files, out = begun(made, tmp_path)
    model = f"model hf:{files / 'base'}"
    record(out, lambda kept: {model: kept[model]}, version=False)
    edit(files / "base" / "generation_config.json", eos_token_id=5)
    assert study(files).run(out, resume=True).results.unfinished_episodes == 0


@pytest.mark.parametrize("version", [True, False], ids=["of this version", "from before"])
def test_adapters_of_no_candidate_are_no_inputs(made: Path, tmp_path: Path, version: bool) -> None:
    """Runs of before recorded all adapters of a folder."""
    files, out = begun(made, tmp_path)
    others = {"adapter solver2": "0", "adapter other": "0", "adapter other: adapter_config.json": "0"}
    record(out, lambda kept: kept | others, version=version)
    assert study(files).run(out, resume=True).results.unfinished_episodes == 0


# --- training ------------------------------------------------------------------------------------------------------

TRAINING = {
    "patterns": ["solver"], "dialogues_per_pattern": 2, "turns": 2, "min_turns": 1, "samples": 4, "steps": 1,
    "min_adherence": 0, "batch_size": 1, "threads": 1, "max_tokens": 48,
}  # fmt: skip


def training_study(base: Path, **changes: object) -> Study:
    fields = {
        "personas": {"tasks": ["bug_hunt"]},
        "model": {"ref": f"hf:{base}", "dtype": "float64"},
        "candidates": [{"kind": "adapter", "adapter": "solver"}],
        "turns": 1,
        "sampling": {"max_tokens": 6},
        "training": TRAINING,
    }
    return Study.of(**(fields | changes))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``base``, and what ``holdfast train`` left in ``run``."""
    root = tmp_path_factory.mktemp("trained")
    shutil.copytree(base_path(), root / "base")
    training_study(root / "base").train(root / "run")
    return root


def test_what_was_trained_is_used_by_its_own_study(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    weights = tmp_path / "run" / "adapters" / "solver" / "adapter_model.safetensors"
    before = weights.stat().st_mtime_ns
    training_study(trained / "base", turns=2).run(tmp_path / "run", resume=True)  # longer talks need no new training
    assert weights.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 4}, "seed: was 0, now 4"),
        ({"training": TRAINING | {"steps": 2}}, "training.steps: was 1, now 2"),
        ({"personas": {}}, "personas to train on"),
    ],
)
def test_what_was_trained_belongs_to_its_study(
    trained: Path, tmp_path: Path, changes: dict[str, object], named: str
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    with pytest.raises(JournalError, match="what was trained here belongs to another study") as caught:
        training_study(trained / "base", **changes).run(tmp_path / "run", resume=True)
    assert named in str(caught.value)
    assert not (tmp_path / "run" / "journal.sqlite").exists()


def test_another_training_is_refused_before_a_model_is_loaded(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    shutil.copytree(trained / "base", tmp_path / "base")
    (tmp_path / "base" / "model.safetensors").unlink()  # whoever loads it fails
    with pytest.raises(JournalError, match=r"belongs to another study:\n  training\.steps: was 1, now 2\nChange"):
        training_study(tmp_path / "base", training=TRAINING | {"steps": 2}).run(tmp_path / "run", resume=True)
    flip(tmp_path / "run" / "adapters" / "router.npz")
    with pytest.raises(JournalError, match=r"router\.npz: not the file that was trained"):
        training_study(tmp_path / "base").run(tmp_path / "run", resume=True)


@pytest.mark.parametrize("name", ["adapters/solver/adapter_model.safetensors", "adapters/router.npz"])
def test_a_file_that_was_trained_and_then_changed_is_named(trained: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    flip(tmp_path / "run" / name)
    with pytest.raises(JournalError, match=f"{name}: not the file that was trained"):
        training_study(trained / "base").run(tmp_path / "run", resume=True)


def test_another_base_than_it_was_trained_on(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    shutil.copytree(trained / "base", tmp_path / "base")
    add(tmp_path / "base" / "chat_template.jinja", " ")
    with pytest.raises(JournalError, match=r"base\.weights: chat_template\.jinja"):
        training_study(tmp_path / "base").run(tmp_path / "run", resume=True)


@pytest.mark.parametrize("command", ["run", "train"])
def test_two_trainings_in_one_folder(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second is refused at once: before a model is loaded (there is none)."""
    (tmp_path / "study.yaml").write_text(
        json.dumps({"model": "hf:./nowhere", "candidates": ["base"], "training": TRAINING, "personas": {}})
    )
    out = tmp_path / "run"
    out.mkdir()
    with (out / "journal.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(f"process {os.getpid()}")
        other.flush()
        assert run_command([command, str(tmp_path / "study.yaml"), "--out", str(out), "--quiet"]) == 1
    assert "another run is writing here (process" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["journal.lock"]
