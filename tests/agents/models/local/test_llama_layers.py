"""Layers of Llama's form in fewer operations: the same numbers, and only where they are of that form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GraniteConfig, LlamaConfig, Ministral3Config, OlmoConfig, Qwen2Config
from transformers.configuration_utils import PreTrainedConfig

from holdfast.agents.models.local.llama_layers import LlamaLayer
from holdfast.agents.models.local.loading import load_backbone
from tests.agents.models.conftest import COMMON, CONFIGS, build_model

OF_THE_FORM = {"llama", "qwen2", "mistral", "mixed"}
FAR = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 8.0, "original_max_position_embeddings": 16}
OTHERS: dict[str, PreTrainedConfig] = {  # the first three: the same modules, another form
    "granite": GraniteConfig(**COMMON, residual_multiplier=0.5),
    "ministral3": Ministral3Config(**COMMON, head_dim=8, rope_parameters=FAR | {"llama_4_scaling_beta": 0.1}),
    "olmo": OlmoConfig(**COMMON, clip_qkv=6.0),  # which a few tokens do not reach
    "biased": LlamaConfig(**COMMON, attention_bias=True, mlp_bias=True),
    "wide heads": Qwen2Config(**COMMON, head_dim=16),
}
IDS = torch.randint(100, (2, 40), generator=torch.Generator().manual_seed(4))


def lean(model: torch.nn.Module) -> bool:
    """Whether every one of its layers is replaced, and not only some."""
    replaced = {isinstance(layer.__dict__.get("forward"), LlamaLayer) for layer in model.model.layers}  # type: ignore[union-attr]
    assert len(replaced) == 1
    return replaced.pop()


@pytest.mark.parametrize("name", sorted(CONFIGS.keys() - {"gpt2"}))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_of_the_form_are_replaced_and_the_logits_stay(
    models_folder: dict[str, Path], name: str, dtype: str
) -> None:
    model = load_backbone(models_folder[name], dtype=dtype).model
    assert lean(model) == (name in OF_THE_FORM)
    plain = AutoModelForCausalLM.from_pretrained(models_folder[name], dtype=model.dtype)
    tolerance = 1e-4 if dtype == "float32" else 1e-5  # Gemma's norms stay in float32
    expected = plain(input_ids=IDS, use_cache=False).logits
    torch.testing.assert_close(model(input_ids=IDS, use_cache=False).logits, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_looks_like_the_form_is_left_alone(name: str, tmp_path: Path) -> None:
    folder = build_model(OTHERS[name], tmp_path / "model")
    model = load_backbone(folder, dtype="float64").model
    assert lean(model) == (name in {"biased", "wide heads"})
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    expected = plain(input_ids=IDS, use_cache=False).logits
    torch.testing.assert_close(model(input_ids=IDS, use_cache=False).logits, expected, rtol=1e-5, atol=1e-5)


def test_an_edited_layer_of_a_known_family_is_left_alone(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it then differs, or a replaced one cannot run at all."""
    for broken in (lambda *_, **__: 1 / 0, lambda self, hidden, *_, **__: hidden):
        monkeypatch.setattr(LlamaLayer, "__call__", broken)
        assert not lean(load_backbone(llama, dtype="float64").model)


@pytest.mark.parametrize("settings", [{"dtype": "bfloat16"}, {"dtype": "float32", "reproducible": True}])
def test_other_types_and_same_bytes_keep_the_layers_of_transformers(llama: Path, settings: dict[str, object]) -> None:
    assert not lean(load_backbone(llama, **settings).model)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_joined_weights_take_the_memory_of_one_matrix(llama: Path, dtype: str) -> None:
    layer = load_backbone(llama, dtype=dtype).model.model.layers[0]
    for owner, names in ((layer.self_attn, ("q_proj", "k_proj", "v_proj")), (layer.mlp, ("gate_proj", "up_proj"))):
        weights = [getattr(owner, name).weight for name in names]
        assert len({weight.untyped_storage().data_ptr() for weight in weights}) == 1
        assert weights[0].untyped_storage().nbytes() == sum(weight.nbytes for weight in weights)
