"""The shipped base: small, ordinary to load, and able to name what was just said."""

from __future__ import annotations

import json

import pytest

from holdfast.adapters.micro import base_path
from holdfast.adapters.micro.recipes import RECIPES


def test_it_fits_into_ten_megabytes_and_says_how_it_was_built() -> None:
    weights = base_path() / "model.safetensors"
    assert weights.stat().st_size <= 10_000_000
    built = json.loads((base_path() / "build.json").read_text(encoding="utf-8"))
    assert built["recipe"] == "cue"
    assert "microcosm" in (base_path() / "README.md").read_text(encoding="utf-8")


def test_it_loads_as_any_model_does_and_knows_its_chat_template() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base_path())
    model = AutoModelForCausalLM.from_pretrained(base_path())
    size = RECIPES["cue"].size
    assert model.config.num_hidden_layers == size.layers
    assert model.config.hidden_size == size.hidden
    messages = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Okay."}]
    encoded = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    learned = [id for id, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learned) == " Okay.<|end|>"


@pytest.mark.slow
def test_it_names_feelings_topics_and_needs_among_others() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from holdfast.adapters.micro.copying import copying_scores
    from holdfast.adapters.micro.encoding import Encoder

    encoder = Encoder(AutoTokenizer.from_pretrained(base_path()))
    model = AutoModelForCausalLM.from_pretrained(base_path(), dtype=torch.float32)
    scores = copying_scores(model, encoder, seed=123, n=200)
    assert scores["feeling"] >= 0.9
    assert scores["topic"] >= 0.9
    assert scores["need"] >= 0.8


@pytest.mark.parametrize("text", ["Grüße, 你好 🙂", "a\tb\nc", "<|end|>"])
def test_any_text_survives_the_tokenizer(text: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base_path())
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
