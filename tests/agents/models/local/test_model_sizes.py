"""A config.json that asks for a model far larger than its weights is refused before memory is taken for it."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.training.tokenised import tokenise
from holdfast.agents.models.local.folders import check_model_folder
from holdfast.agents.models.local.loading import load_backbone
from holdfast.agents.models.local.model_sizes import check_sizes
from holdfast.agents.raters.dialogue.encoder import encoder_part
from holdfast.agents.raters.reward import load_base
from holdfast.core.errors import ModelError
from tests.adapters.standins import training_dialogue

OPENERS: tuple[Callable[[Path], Any], ...] = (
    check_model_folder,
    load_backbone,
    load_base,
    lambda path: tokenise([training_dialogue(0)], path, 64, "x"),
    lambda path: encoder_part(str(path)),
)


def changed(model: Path, copy: Path, **sizes: object) -> Path:
    shutil.copytree(model, copy)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | sizes))
    return copy


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ({"num_hidden_layers": 10**9}, r"num_hidden_layers is 1,000,000,000, but there are \d+ weights beside it"),
        ({"hidden_size": 10**9}, "hidden_size is 1,000,000,000, but no weight beside it has a side longer than 100"),
        ({"vocab_size": 10**9}, "vocab_size is 1,000,000,000, but no weight"),
        ({"intermediate_size": 10**40}, "intermediate_size is 10,0"),
        ({"num_attention_heads": 10**9}, "num_attention_heads is 1,000,000,000"),
        ({"max_position_embeddings": 10**9}, "max_position_embeddings is 1,000,000,000, where at most 134,217,728"),
        ({"text_config": {"num_hidden_layers": 10**9}}, "num_hidden_layers is 1,000,000,000"),
    ],
)
def test_an_absurd_size_is_refused_by_everything_that_opens_a_model(
    size: dict[str, object], says: str, llama: Path, tmp_path: Path
) -> None:
    folder = changed(llama, tmp_path / "m", **size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for opener in OPENERS:
        with pytest.raises(ModelError, match=rf"config\.json: {says}.*; put the config\.json that belongs"):
            opener(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "gpt2", "mistral", "mixed", "gemma2", "gemma3"])
def test_real_configurations_pass(models_folder: dict[str, Path], name: str) -> None:
    check_sizes(models_folder[name])


@pytest.mark.parametrize("text", ["", "[]", "null", "{" * 9999, "\ud800"])
def test_no_configuration(text: str, llama: Path, tmp_path: Path) -> None:
    folder = changed(llama, tmp_path / "m")
    (folder / "config.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ModelError, match=r"config\.json: .*put the model's own file there"):
        check_model_folder(folder)
