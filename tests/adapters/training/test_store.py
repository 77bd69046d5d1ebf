from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from holdfast.adapters.training.store import AdapterStore
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import weights_sha256
from tests.adapters.standins import build_base

LAYER = "base_model.model.model.layers.0.self_attn.q_proj"


def write_adapter(folder: Path, width: int = 32, *, layer: str = LAYER, card: str = "") -> Path:
    """A rank-2 LoRA on one layer of the fixture's base."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2}))
    matrices = {"A": np.zeros((2, width), np.float32), "B": np.zeros((width, 2), np.float32)}
    save_file(
        {f"{layer}.lora_{side}.weight": matrix for side, matrix in matrices.items()},
        folder / "adapter_model.safetensors",
    )
    (folder / "README.md").write_text(card)
    return folder


def card(sha256: str) -> str:
    return f"---\nlibrary_name: peft\nholdfast:\n  base_sha256: {sha256}\n---\n# Card\n"


def test_adapters_are_found_by_name(tmp_path: Path, base: Path) -> None:
    for name in ("warm", "cool"):
        write_adapter(tmp_path / name, card=card(weights_sha256(base)))
    (tmp_path / "empty").mkdir()
    write_adapter(tmp_path / ".warm.part")
    store = AdapterStore(tmp_path)
    assert store.names() == ("cool", "warm")
    assert store.paths() == {"cool": tmp_path / "cool", "warm": tmp_path / "warm"}


def test_an_unknown_name_is_guessed(tmp_path: Path) -> None:
    write_adapter(tmp_path / "companion")
    with pytest.raises(
        InputError, match=r"no adapter 'compannion'; did you mean 'companion'\? \(it holds: companion\)"
    ):
        AdapterStore(tmp_path).path("compannion")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder of adapters; train some with `holdfast train`"):
        AdapterStore(tmp_path / "nowhere").names()


def test_an_adapter_of_a_wider_base_is_refused(tmp_path: Path, base: Path, other_base: Path) -> None:
    write_adapter(tmp_path / "warm")
    AdapterStore(tmp_path).check("warm", base)
    with pytest.raises(ModelError, match=r"q_proj\.lora_A\.weight is 2 x 32, but .*q_proj of the base is 64 x 64"):
        AdapterStore(tmp_path).check("warm", other_base)


def test_a_layer_that_the_base_lacks_is_refused(tmp_path: Path, base: Path) -> None:
    write_adapter(tmp_path / "warm", layer=LAYER.replace("layers.0", "layers.7"))
    with pytest.raises(ModelError, match=r"no linear layer model\.layers\.7\.self_attn\.q_proj"):
        AdapterStore(tmp_path).check("warm", base)


def test_other_weights_of_the_same_shape_are_refused(tmp_path: Path, base: Path) -> None:
    twin = build_base(tmp_path / "twin", seed=9)
    write_adapter(tmp_path / "store" / "warm", card=card(weights_sha256(base)))
    with pytest.raises(ModelError, match="trained on other weights than those in"):
        AdapterStore(tmp_path / "store").check("warm", twin)


@pytest.mark.parametrize("name", ["adapter_model.bin", "adapter_model.pt"])
def test_pickles_are_refused_even_beside_safetensors(tmp_path: Path, base: Path, name: str) -> None:
    (write_adapter(tmp_path / "warm") / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="pickled weights may run code"):
        AdapterStore(tmp_path).check("warm", base)


def test_what_is_no_lora_is_refused(tmp_path: Path, base: Path) -> None:
    (write_adapter(tmp_path / "warm") / "adapter_config.json").write_text('{"peft_type": "IA3"}')
    with pytest.raises(ModelError, match=r"IA3 is no LoRA \(peft_type\); only plain LoRA is run"):
        AdapterStore(tmp_path).check("warm", base)


@pytest.mark.parametrize("damage", [lambda data: data[:20], lambda data: b"", lambda data: b"\xff" * 64])
def test_damaged_weights_are_told(tmp_path: Path, base: Path, damage: object) -> None:
    file = write_adapter(tmp_path / "warm") / "adapter_model.safetensors"
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        AdapterStore(tmp_path).check("warm", base)


def test_missing_weights_are_told(tmp_path: Path, base: Path) -> None:
    (write_adapter(tmp_path / "warm") / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        AdapterStore(tmp_path).check("warm", base)


def test_the_hash_is_of_the_weights_alone(tmp_path: Path, base: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(base, copy)
    (copy / "notes.txt").write_text("x")
    assert weights_sha256(copy) == weights_sha256(base)
    weights = load_file(copy / "model.safetensors")
    name = sorted(weights)[0]
    save_file({**weights, name: weights[name] + 1}, copy / "model.safetensors")
    assert weights_sha256(copy) != weights_sha256(base)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"use_dora": True}, r"DoRA \(use_dora: true\); only plain LoRA is run. Merge it"),
        ({"use_qalora": True}, "QA-LoRA"),
        ({"alora_invocation_tokens": [1, 2]}, "activated LoRA"),
        ({"bias": "all"}, r'also trained biases \(bias: "all"\)'),
        ({"modules_to_save": ["lm_head"]}, "brings whole modules"),
        ({"layer_replication": [[0, 4]]}, "replicates layers"),
        ({"trainable_token_indices": [1]}, "trained tokens"),
        ({"peft_type": "PROMPT_TUNING"}, r"PROMPT_TUNING is no LoRA \(peft_type\)"),
    ],
)
def test_another_kind_of_adapter_is_named(option: dict[str, object], says: str, tmp_path: Path, base: Path) -> None:
    file = write_adapter(tmp_path / "warm") / "adapter_config.json"
    file.write_text(json.dumps({"peft_type": "LORA", "r": 2, "bias": "none", **option}))
    with pytest.raises(ModelError, match=says):
        AdapterStore(tmp_path).check("warm", base)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"init_lora_weights": "pissa"}, "init_lora_weights='pissa', which changes the base"),
        ({"init_lora_weights": "pissa_niter_16"}, "relative to another one than the model's"),
        ({"init_lora_weights": "olora"}, "path_initial_model_for_weight_conversion"),
        ({"use_newest": True}, r"options that are not known here: use_newest \(true\)"),
        ({"x" * 5000: True}, "options that are not known here: x+… "),
        ({f"option_{number}": 1 for number in range(500)}, "options that are not known here: option_0 "),
        ({"r": 10**9}, "r is 1000000000, but the weights of .*q_proj have rank 2"),
        ({"r": 0}, "r is 0; it is a whole number from 1"),
        ({"lora_alpha": float("nan")}, "lora_alpha is nan; it is a number"),
        ({"alpha_pattern": {"(a+)+": 1}}, "could take very long"),
        ({"target_modules": ["v_proj"]}, "q_proj, which target_modules does not name"),
    ],
)
def test_what_would_not_run_as_it_was_trained(option: dict[str, object], says: str, tmp_path: Path, base: Path) -> None:
    file = write_adapter(tmp_path / "warm") / "adapter_config.json"
    file.write_text(json.dumps({"peft_type": "LORA", "r": 2, **option}))
    with pytest.raises(ModelError, match=says) as refusal:
        AdapterStore(tmp_path).check("warm", base)
    assert len(str(refusal.value)) < 1500


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(number: float, tmp_path: Path, base: Path) -> None:
    file = write_adapter(tmp_path / "warm") / "adapter_model.safetensors"
    weights = load_file(file)
    weights[f"{LAYER}.lora_B.weight"][3, 1] = number
    save_file(weights, file)
    with pytest.raises(ModelError, match=r"lora_B\.weight holds a NaN or an infinite number; train the adapter again"):
        AdapterStore(tmp_path).check("warm", base)


def test_settings_that_are_no_file_are_not_waited_for(tmp_path: Path, base: Path) -> None:
    file = write_adapter(tmp_path / "warm") / "adapter_config.json"
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ModelError, match=r"cannot be read as JSON: .*pipe"):
        AdapterStore(tmp_path).check("warm", base)


def test_an_adapter_is_no_folder_of_adapters(tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapters" / "warm")
    with pytest.raises(
        InputError, match=r"warm is an adapter itself.*; write adapters: .*/adapters, and name it 'warm'"
    ):
        AdapterStore(tmp_path / "adapters" / "warm").names()
