"""Thoughts of local models: a tiny model that says exactly what it should, marks included, and what comes of it."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling

SPECIAL = [
    "<pad>", "<unk>", "<user>", "<assistant>", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|end|>",
    "<|start|>", "<|return|>", "<image>", "</s>",
]  # fmt: skip
PLAIN = ["<think>", "</think>", "sad", "so", "hi", "there", "assistant", "analysis", "final"]


def speaker(folder: Path, said: str, opening: str = "") -> LocalChatModel:
    """A Llama whose layers do nothing: each token alone decides on the next one, so no word comes twice."""
    words = said.split()
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *PLAIN])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", eos_token="</s>",
        additional_special_tokens=[mark for mark in SPECIAL[2:] if mark != "</s>"],
    )  # fmt: skip
    wrapped.chat_template = (
        "{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} {% endfor %}<assistant> " + opening
    )
    size = len(vocabulary)
    config = LlamaConfig(
        vocab_size=size, hidden_size=2 * size, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=128, pad_token_id=0, eos_token_id=vocabulary["</s>"],
        tie_word_embeddings=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.fill_(1.0 if "norm" in name else 0.0)
        model.model.embed_tokens.weight[:, :size] = torch.eye(size)
        before = vocabulary[(opening.split() or ["<assistant>"])[-1]]
        for word in words:
            model.lm_head.weight[vocabulary[word], before] = 1.0
            before = vocabulary[word]
    model.save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return LocalChatModel.load(folder, dtype="float64")


async def ask(model: LocalChatModel, max_tokens: int = 30) -> Generation:
    request = GenerationRequest("c", (Message("user", "hi"),), seed=1, sampling=Sampling(0, max_tokens=max_tokens))
    return await model.generate(request)


@pytest.mark.parametrize(
    ("said", "opening", "expected"),
    [
        ("hi there </s>", "", ("hi there", "", "answered")),
        ("<think> sad </think> hi there </s>", "", ("hi there", "sad", "answered")),
        ("[THINK] sad [/THINK] hi </s>", "", ("hi", "sad", "answered")),
        ("sad [/THINK] hi </s>", "[THINK]", ("hi", "sad", "answered")),
        ("sad so </think> hi </s>", "<think>", ("hi", "sad so", "answered")),
        ("sad so there </s>", "<think>", ("", "sad so there", "thoughts only")),
        ("<|channel|> analysis <|message|> sad </s>", "", ("", "sad", "thoughts only")),
        ("hi <|end|> there </s>", "", ("hi", "", "answered")),
        ("hi <image> there </s>", "", ("hi there", "", "answered")),
        ("<unk> </s>", "", ("", "", "empty")),
    ],
)
async def test_special_tokens_set_thoughts_apart(
    tmp_path: Path, said: str, opening: str, expected: tuple[str, str, str]
) -> None:
    made = await ask(speaker(tmp_path, said, opening))
    assert (made.text, made.thoughts, made.outcome) == expected
    assert made.completion_tokens == len(said.split())


async def test_a_thought_cut_at_max_tokens_is_no_answer(tmp_path: Path) -> None:
    made = await ask(speaker(tmp_path, "[THINK] sad so there </s>"), max_tokens=3)
    assert (made.text, made.thoughts, made.outcome) == ("", "sad so", "thoughts only")
    assert made.cause == "thoughts only, cut off at max_tokens"
    cut = await ask(speaker(tmp_path / "cut", "hi there so </s>"), max_tokens=2)
    assert (cut.text, cut.outcome, cut.finish_reason) == ("hi there", "cut", "length")
