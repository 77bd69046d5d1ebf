"""LoRA folders that other programs wrote, or broke: run as PEFT runs them, or refused; the base stays as it was."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peft import PeftModel
from safetensors.numpy import load_file, save_file
from transformers import AutoTokenizer
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from holdfast.adapters.training.store import AdapterStore
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.hashing import weights_sha256
from tests.campaign.local_models import files, tells
from tests.campaign.tries import Scene, draw, equal, holds
from tests.simulator.logs.mutations import mutate
from tests.simulator.runtime.test_resumed_with_other_files import edit

SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def change(folder: Path, to: Callable[[dict[str, Any]], object]) -> None:
    """Change the weights of an adapter's folder."""
    weights = load_file(folder / WEIGHTS)
    to(weights)
    save_file(weights, folder / WEIGHTS)


def some(weights: dict[str, Any], rng: random.Random, side: str = "") -> str:
    return rng.choice([name for name in weights if side in name])


def spoil_number(folder: Path, rng: random.Random) -> None:
    def to(weights: dict[str, Any]) -> None:
        name = some(weights, rng)
        weights[name] = weights[name].copy()
        weights[name].flat[rng.randrange(weights[name].size)] = rng.choice((np.nan, np.inf, -np.inf))

    change(folder, to)


def other_shape(folder: Path, rng: random.Random) -> None:
    def to(weights: dict[str, Any]) -> None:
        name = some(weights, rng)
        weights[name] = np.ascontiguousarray(weights[name].T)

    change(folder, to)


def unnamed_layer(folder: Path, rng: random.Random) -> None:
    def to(weights: dict[str, Any]) -> None:
        for name in [name for name in weights if "layers.0.self_attn.q_proj" in name]:
            weights[name.replace("layers.0", "layers.7")] = weights[name]

    change(folder, to)


#: Folders that would not run as they were trained.
REFUSED: dict[str, Callable[[Path, random.Random], object]] = {
    **{
        kind: lambda folder, rng, kind=kind: edit(folder / SETTINGS, init_lora_weights=kind)  # type: ignore[misc]
        for kind in ("pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga")
    },
    "DoRA": lambda folder, rng: edit(folder / SETTINGS, use_dora=True),
    "another kind": lambda folder, rng: edit(folder / SETTINGS, peft_type=rng.choice(("IA3", "VERA", "LOHA", 3))),
    "bias": lambda folder, rng: edit(folder / SETTINGS, bias=rng.choice(("all", "lora_only"))),
    "whole modules": lambda folder, rng: edit(folder / SETTINGS, modules_to_save=["lm_head"]),
    "unknown option": lambda folder, rng: edit(folder / SETTINGS, use_newest=True),
    "rank": lambda folder, rng: edit(folder / SETTINGS, r=rng.choice((0, -1, 3, 10**9, 1.5, "8", None))),
    "alpha": lambda folder, rng: edit(folder / SETTINGS, lora_alpha=rng.choice((float("nan"), "x", [1]))),
    "slow pattern": lambda folder, rng: edit(folder / SETTINGS, alpha_pattern={"(a+)+$": 1}),
    "modules": lambda folder, rng: edit(folder / SETTINGS, target_modules=["v_proj"]),
    "no number": spoil_number,
    "missing": lambda folder, rng: change(folder, lambda weights: weights.pop(some(weights, rng))),
    "shape": other_shape,
    "unknown layer": unnamed_layer,
    "stray weight": lambda folder, rng: change(folder, lambda w: w.update({"lm_head.weight": np.zeros((2, 2), "f4")})),
    "pickle beside": lambda folder, rng: (folder / "adapter_model.bin").write_bytes(b"\x80\x04."),
    "cut": lambda folder, rng: (folder / WEIGHTS).write_bytes(
        (folder / WEIGHTS).read_bytes()[: rng.randrange(20_000)]
    ),
}  # fmt: skip
#: Folders that run as PEFT runs them.
TAKEN: dict[str, Callable[[Path, random.Random], object]] = {
    "as it is": lambda folder, rng: None,
    "alpha": lambda folder, rng: edit(folder / SETTINGS, lora_alpha=rng.choice((1, 3.5, 32))),
    "rank-stabilised": lambda folder, rng: edit(folder / SETTINGS, use_rslora=True),
    "alpha of a layer": lambda folder, rng: edit(folder / SETTINGS, alpha_pattern={"q_proj": rng.choice((1, 64))}),
    "orthogonal start": lambda folder, rng: edit(folder / SETTINGS, init_lora_weights="orthogonal"),
    "half precision": lambda folder, rng: change(
        folder, lambda weights: weights.update({name: weight.astype("f2") for name, weight in weights.items()})
    ),
}


def adapter_folders(scene: Scene) -> str:
    """Words through an adapter are PEFT's, or the folder is refused; the base's bytes are what they were."""
    rng = scene.rng
    base, folder = files() / "base", scene.folder / "store" / "warm"
    shutil.copytree(files() / "adapters" / "solver", folder)
    before = weights_sha256(base)
    right = rng.random() < 0.4
    name, spoil = draw(rng, TAKEN if right else REFUSED)
    spoil(folder, rng)
    told = tells(lambda: AdapterStore(scene.folder / "store").check("warm", base))
    equal(told, "taken" if right else "refused", f"{name}: what becomes of the adapter")
    if right:
        words = " ".join(f"w{rng.randrange(90)}" for _ in range(rng.randint(1, 9)))
        model = LocalChatModel.load(base, adapters={"warm": folder}, dtype="float64")
        request = GenerationRequest("k", (Message("user", words),), 1, "warm", Sampling(0, max_tokens=8))
        equal(asyncio.run(model.generate(request)).text, by_peft(base, folder, words), f"{name}: words")
    equal(weights_sha256(base), before, f"{name}: the base's weights")
    return "as PEFT" if right else "refused"


def by_peft(base: Path, folder: Path, words: str) -> str:
    """What PEFT's own model says, greedily."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype="float64"), folder).double()
    asked = [{"role": "user", "content": words}]
    prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = model.generate(**prompt, do_sample=False, max_new_tokens=8)
    return str(tokenizer.decode(made[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)).strip()


def fuzz_adapters(scene: Scene) -> str:
    """Broken settings and weights are refused in our words, or taken; nothing else, and never slowly."""
    rng, outcomes = scene.rng, Counter[str]()
    base, good = files() / "base", files() / "adapters" / "solver"
    folder = scene.folder / "store" / "warm"
    shutil.copytree(good, folder)
    for _ in range(scene.size):
        for name in (SETTINGS, WEIGHTS):
            shutil.copyfile(good / name, folder / name)
        file = folder / rng.choice((SETTINGS, SETTINGS, WEIGHTS))
        data = file.read_bytes()
        if file.name == WEIGHTS and rng.random() < 0.7:  # its header, which is small beside its numbers
            size = 8 + int.from_bytes(data[:8], "little")
            data = mutate(data[:size], rng, zipped=False) + data[size:]
        else:
            data = mutate(data, rng, zipped=False)
        file.write_bytes(data)
        began = time.process_time()
        try:
            outcomes[tells(lambda: AdapterStore(scene.folder / "store").check("warm", base))] += 1
        except Exception as error:
            error.add_note(f"a broken {file.name}: {data[:1500]!r}")
            raise
        holds(time.process_time() - began < 5, f"{time.process_time() - began:.1f} s for {data[:500]!r}")
    holds(outcomes["refused"] > 0, f"drawn too tame: {outcomes}")
    return "as expected"
