"""What somebody may point ``hf:`` at instead of a model folder, and what they are told."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from holdfast.agents.models.local.folders import check_model_folder
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.core.errors import HoldfastError, InputError


def folder(path: Path, *files: str) -> Path:
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).touch()
    return path


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            ["config.json", "pytorch_model.bin"],
            "holds only pickled weights (pytorch_model.bin): pickled weights may run",
        ),
        (["config.json", "model.pth"], "holds only pickled weights (model.pth)"),
        (["llama-q4_k_m.gguf"], "holds GGUF weights; write the file itself: hf:"),
        (["config.json", "a.gguf"], "/m/a.gguf"),
        (["adapter_config.json", "adapter_model.safetensors"], "is an adapter, no model: name its base with 'hf:'"),
        (["config.json", "model.safetensors.index.json"], "holds no weights: there is no *.safetensors in it"),
        (["model.safetensors"], "is no model folder: it has no config.json"),
        (["snapshots/abc/config.json"], "it has no config.json; did you mean hf:"),
        (["deeper/config.json"], "/deeper ?"),
    ],
)
def test_what_is_no_model_folder_is_told_as_what_it_is(files: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        check_model_folder(folder(tmp_path / "m", *files))
    assert says in str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    folder(tmp_path, "q4.gguf", "m/config.json", "m/model.safetensors", "alone.txt")
    (tmp_path / "m" / "config.json").write_text("{}")
    save_file({"weight": np.zeros(1, np.float32)}, tmp_path / "m" / "model.safetensors")
    for file, says in (
        ("q4.gguf", f"is a GGUF file, no model folder; a study loads it as hf:{tmp_path}/q4.gguf"),
        ("m/model.safetensors", f"is a file; write the folder that it is in: hf:{tmp_path}/m"),
        ("alone.txt", "is a file, no model folder"),
        ("absent", "absent does not exist"),
    ):
        with pytest.raises(InputError) as caught:
            check_model_folder(tmp_path / file)
        assert says in str(caught.value)
    check_model_folder(tmp_path / "m")


ABSURD: dict[str, dict[str, object]] = {
    "config.json": {
        "num_hidden_layers": 10**9, "hidden_size": 10**12, "vocab_size": 10**15, "num_attention_heads": 0,
        "head_dim": 10**9, "max_position_embeddings": "x", "model_type": "nobody", "hidden_act": "nobody",
    },
    "tokenizer_config.json": {"model_max_length": "x", "added_tokens_decoder": 3},
}  # fmt: skip


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, names in ABSURD.items() for name in names])
def test_settings_that_no_model_has_are_told_in_seconds(file: str, name: str, llama: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(llama, model)
    settings = json.loads((model / file).read_text())
    (model / file).write_text(json.dumps(settings | {name: ABSURD[file][name]}))
    began = time.monotonic()
    with pytest.raises(HoldfastError, match=re.escape(str(model))) as caught:
        LocalChatModel.load(model)
    assert time.monotonic() - began < 20
    assert "\n" not in str(caught.value)
