"""A tiny Llama as a GGUF file, written by hand as llama.cpp writes them: some weights plain, some in Q4_1 blocks."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.convert_slow_tokenizer import bytes_to_unicode

CONFIG = LlamaConfig(
    vocab_size=261,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=16,
    max_position_embeddings=512,
    rope_theta=10000.0,
    rms_norm_eps=1e-5,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=2,
    tie_word_embeddings=False,
)
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
#: What llama.cpp calls the weights of a layer.
_IN_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
QUANTISED = "model.layers.1.mlp.down_proj.weight"
SCALE, LOWEST = 0.25, -2.0  # of every block: a weight is SCALE * q + LOWEST, q from 0 to 15


def tiny_weights() -> dict[str, torch.Tensor]:
    """Random float32 weights by transformers' names; those of :data:`QUANTISED` are what its blocks say."""
    torch.manual_seed(3)
    weights = {name: torch.randn_like(weight) * 0.3 for name, weight in LlamaForCausalLM(CONFIG).state_dict().items()}
    weights[QUANTISED] = torch.from_numpy(SCALE * _quanta(tuple(weights[QUANTISED].shape)) + LOWEST).float()
    return weights


def write_gguf(path: Path, template: str | None = TEMPLATE, leave_out: str = "") -> Path:
    """Write the model to ``path``; ``leave_out``: the GGUF name of a weight that is missing."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONFIG.max_position_embeddings)
    writer.add_embedding_length(CONFIG.hidden_size)
    writer.add_block_count(CONFIG.num_hidden_layers)
    writer.add_feed_forward_length(CONFIG.intermediate_size)
    writer.add_head_count(CONFIG.num_attention_heads)
    writer.add_head_count_kv(CONFIG.num_key_value_heads)
    writer.add_layer_norm_rms_eps(CONFIG.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(CONFIG.head_dim)
    writer.add_vocab_size(CONFIG.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([*SPECIAL, *bytes_to_unicode().values(), "he", "ll"])
    writer.add_token_types([gguf.TokenType.CONTROL] * len(SPECIAL) + [gguf.TokenType.NORMAL] * 258)
    writer.add_token_merges(["h e", "l l"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    if template is not None:
        writer.add_chat_template(template)
    for name, weight in tiny_weights().items():
        _add(writer, name, weight.numpy(), leave_out)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, name: str, weight: NDArray[np.float32], leave_out: str) -> None:
    theirs = _their_name(name)
    if theirs == leave_out:
        return
    if name == QUANTISED:
        writer.add_tensor(theirs, _blocks(weight.shape), raw_dtype=gguf.GGMLQuantizationType.Q4_1)
        return
    if ".attn_q." in theirs or ".attn_k." in theirs:  # llama.cpp rotates neighbouring pairs, transformers halves
        heads = CONFIG.num_attention_heads if ".attn_q." in theirs else CONFIG.num_key_value_heads
        halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1])
        weight = np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))
    writer.add_tensor(theirs, weight)


def _their_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem in _OUTSIDE:
        return f"{_OUTSIDE[stem]}.{kind}"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{_IN_LAYER[rest]}.{kind}"


def _quanta(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The whole numbers of the quantised weights: (row + 3 column) modulo 16."""
    rows, columns = np.indices(shape)
    return (rows + 3 * columns) % 16


def _blocks(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Q4_1: for 32 weights their scale and lowest value in half precision, then 16 bytes, low halves first."""
    quanta = _quanta(shape).reshape(shape[0], -1, 32).astype(np.uint8)
    head = np.array([SCALE, LOWEST], dtype=np.float16).view(np.uint8)
    heads = np.broadcast_to(head, (*quanta.shape[:2], 4))
    packed = quanta[..., :16] | (quanta[..., 16:] << 4)
    return np.ascontiguousarray(np.concatenate([heads, packed], axis=-1).reshape(shape[0], -1))
