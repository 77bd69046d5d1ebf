"""Every kind of LoRA folder: run as PEFT runs it, or refused with its cause; the base keeps its bytes either way."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from holdfast.agents.models.local.adapter_folder import SETTINGS_FILE, WEIGHTS_FILE, read_adapter
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest
from holdfast.core.errors import ModelError
from tests.agents.models.conftest import COMMON, build_model
from tests.agents.models.local.test_model import GREEDY, opening, plain

Q0 = "base_model.model.model.layers.0.self_attn.q_proj"
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"target_modules": ["q_proj", "v_proj"]},
    "ranks per module": {"target_modules": "all-linear", "rank_pattern": {"q_proj": 7, r"layers\.1\.mlp\.up_proj": 2}},
    "alphas per module": {"target_modules": ["q_proj", "o_proj"], "alpha_pattern": {"q_proj": 40, "2.self_attn": 1}},
    "ranks and alphas": {
        "target_modules": ["q_proj", "k_proj"],
        "rank_pattern": {"k_proj": 9},
        "alpha_pattern": {"k_proj": 3},
        "use_rslora": True,
    },
    "some layers": {"target_modules": ["q_proj", "down_proj"], "layers_to_transform": [0, 2]},
    "without some": {"target_modules": ["q_proj", "v_proj"], "exclude_modules": ["layers.1.self_attn.q_proj"]},
    "the output layer": {"target_modules": ["q_proj", "lm_head"]},
}


@pytest.fixture(scope="module", params=[False, True], ids=["untied", "tied"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = LlamaConfig(**COMMON, tie_word_embeddings=request.param)
    return build_model(config, tmp_path_factory.mktemp("bases") / "base")


def save(base: Path, folder: Path, dtype: torch.dtype | None = None, **settings: Any) -> Path:
    torch.manual_seed(5)
    config = LoraConfig(**{"r": 4, "lora_alpha": 8, "task_type": "CAUSAL_LM", **settings})
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=dtype), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_(0, 0.3)
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def base_bytes(model: LocalChatModel) -> str:
    weights = model._backbone.model.state_dict()
    own = {name.replace(".base_layer", ""): weight for name, weight in weights.items() if ".lora_" not in name}
    digest = hashlib.sha256()
    for name in sorted(own):
        digest.update(name.encode() + own[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_speaks_as_peft_lets_it_and_leaves_the_base_alone(
    kind: str, base: Path, tmp_path: Path
) -> None:
    folder = save(base, tmp_path / "own", **KINDS[kind])
    model = LocalChatModel.load(base, dtype="float64", batch_size=4)
    before = base_bytes(model)
    for name, path in (("own", folder), ("other", save(base, tmp_path / "other", target_modules=["k_proj"]))):
        model.add_adapter(name, path)
        assert base_bytes(model) == before
    tokenizer = AutoTokenizer.from_pretrained(base)
    said = set()
    for adapter in ("own", None):
        answer = await model.generate(GenerationRequest("k", opening(3), 1, adapter, GREEDY))
        expected = plain(base, opening(3), folder if adapter else None, max_new_tokens=GREEDY.max_tokens)
        assert answer.text == tokenizer.decode(expected, skip_special_tokens=True).strip()
        said.add(answer.text)
    assert len(said) == 2


@pytest.mark.parametrize("start", ["pissa", "olora"])
@pytest.mark.parametrize("says_so", [True, False])
async def test_an_adapter_that_began_by_changing_the_base_never_changes_ours(
    start: str, says_so: bool, base: Path, tmp_path: Path
) -> None:
    """PEFT takes such an adapter's first matrices out of the base's weights, and does so again when it loads one.

    A folder that says how it began is refused; one whose settings do not is a LoRA like any other, and changes nothing.
    """
    changed = {"target_modules": ["q_proj", "v_proj"], "init_lora_weights": start}
    folder = save(base, tmp_path / start, torch.float32, **changed)
    model = LocalChatModel.load(base, dtype="float64", batch_size=2)
    request = GenerationRequest("k", opening(3), 1, None, GREEDY)
    before, said = base_bytes(model), (await model.generate(request)).text
    if says_so:
        with pytest.raises(ModelError, match=f"init_lora_weights='{start}', which changes the base"):
            model.add_adapter("odd", folder)
    else:
        file = folder / SETTINGS_FILE
        file.write_text(json.dumps(json.loads(file.read_text()) | {"init_lora_weights": True}))
        model.add_adapter("odd", folder)
    assert base_bytes(model) == before
    assert (await model.generate(replace(request, key="again"))).text == said


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS_FILE)
        change(tensors)
        save_file(tensors, folder / WEIGHTS_FILE)

    return damage


def settings(**changed: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        file = folder / SETTINGS_FILE
        file.write_text(json.dumps(json.loads(file.read_text()) | changed))

    return damage


def spoil(name: str, number: float) -> Callable[[Path], None]:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors[name][1, 1] = number

    return weights(change)


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a side is missing": (
        weights(lambda tensors: tensors.pop(f"{Q0}.lora_B.weight")),
        r"model\.layers\.0\.self_attn\.q_proj has \{'A': 4\} for the ranks of its matrices; both are needed",
    ),
    "a module is missing": (
        weights(lambda tensors: [tensors.pop(f"{Q0}.lora_{side}.weight") for side in "AB"]),
        r"it holds no weights of model\.layers\.0\.self_attn\.q_proj, which target_modules names \(1 modules",
    ),
    "a layer of another base": (
        weights(lambda tensors: tensors.update({f"{Q0}.lora_A.weight": torch.zeros(4, 64)})),
        "does not fit the base llama: .*size mismatch",
    ),
    "ranks that differ": (
        weights(lambda tensors: tensors.update({f"{Q0}.lora_A.weight": torch.zeros(3, 32)})),
        r"q_proj has \{'A': 3, 'B': 4\} for the ranks",
    ),
    "a vector for a matrix": (
        weights(lambda tensors: tensors.update({f"{Q0}.lora_A.weight": torch.zeros(32)})),
        r"it holds base_model\.model\.model\.layers\.0\.self_attn\.q_proj\.lora_A\.weight; only plain LoRA",
    ),
    "nan": (spoil(f"{Q0}.lora_A.weight", float("nan")), r"layers\.0\.self_attn\.q_proj\.lora_A\.weight holds a NaN"),
    "infinite": (spoil(f"{Q0}.lora_B.weight", float("-inf")), r"q_proj\.lora_B\.weight holds a NaN or an infinite"),
    "whole modules": (settings(modules_to_save=["lm_head"]), r"brings whole modules \(modules_to_save: …\)"),
    "a whole module's weights": (
        weights(lambda tensors: tensors.update({"base_model.model.lm_head.weight": torch.zeros(100, 32)})),
        r"it holds base_model\.model\.lm_head\.weight; only plain LoRA is run",
    ),
    "a rank of its own": (settings(r=10**9), "r is 1000000000, but the weights of .* have rank 4"),
    "ranks by a pattern": (settings(rank_pattern=[8]), "rank_pattern is .*; it maps layers to ranks"),
    "an alpha that is none": (settings(alpha_pattern={"q_proj": "big"}), "alpha_pattern of q_proj is 'big'; it is a n"),
    "an alpha past all numbers": (settings(lora_alpha=10**400), "lora_alpha is 1000.*; it is a number"),
    "a changed start": (settings(init_lora_weights="pissa"), "changes the base"),
    "an option of the future": (settings(use_future_scaling=True), r"not known here: use_future_scaling \(true\)"),
    "a pickle": (lambda folder: (folder / "adapter_model.ckpt").write_bytes(b"x") and None, "pickled weights may run"),
}


@pytest.fixture(scope="module")
def loaded(llama: Path) -> LocalChatModel:
    return LocalChatModel.load(llama, dtype="float64")


@pytest.fixture(scope="module")
def sound(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(llama, tmp_path_factory.mktemp("sound") / "a", target_modules=["q_proj", "v_proj"])


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_is_refused_has_its_cause_and_leaves_the_model_as_it_was(
    damage: str, loaded: LocalChatModel, sound: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sound, tmp_path / "a")
    change, says = DAMAGES[damage]
    change(folder)
    before, names = base_bytes(loaded), loaded.adapters
    with pytest.raises(ModelError, match=says):
        loaded.add_adapter(damage, folder)
    assert (base_bytes(loaded), loaded.adapters) == (before, names)
    loaded.add_adapter(f"after {damage}", sound)
    assert base_bytes(loaded) == before


def test_a_rank_that_no_weight_has_takes_no_memory(sound: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sound, tmp_path / "a")
    settings(r=10**9, rank_pattern={"q_proj": 4, "v_proj": 4})(folder)
    peft = read_adapter(folder, "a").peft_settings()
    assert (peft["r"], peft["rank_pattern"]) == (4, {})
