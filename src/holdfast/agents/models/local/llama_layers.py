"""Decoder layers of Llama's form (SmolLM2, Qwen2, Mistral, ...) in fewer operations, on a CPU.

With few rows a third of a step goes to some hundred small operations a layer that transformers spells out. Here the
products that share an input are one product, a residual is added by the product before it, and rotary embedding (Su et
al., 2021) turns queries and keys together: a step of one row takes a tenth less. Families are named here, since no
sample shows what begins at some position or size (clipped or rescaled queries); logits are compared besides.
"""

from __future__ import annotations

from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch.nn import Linear, Module

from holdfast.agents.models.local.attention import attend

FAMILIES = {"llama", "mistral", "qwen2"}  # transformers' ``model_type``
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}  # of the logits' norm: the order of sums differs
SAMPLE = (2, 7)  # rows and tokens of the text by which logits are compared
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
PARTS = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}


class JoinedLinear:
    """Linear layers of one input, computed as one product; their weights become views of one matrix.

    Args:
        owner: the module that holds them. Adapters may wrap them later.
        names: of the layers in it; none has a bias, or all have.
    """

    @torch.no_grad()
    def __init__(self, owner: Module, names: tuple[str, ...]) -> None:
        self.owner, self.names = owner, names
        layers = [getattr(owner, name) for name in names]
        self.bounds = list(pairwise(accumulate((layer.out_features for layer in layers), initial=0)))
        weight = torch.cat([layer.weight for layer in layers])
        if weight.dtype == torch.float32:
            weight = by_columns(weight)
        self.matrix = weight.t()  # (width of the input, sum of widths)
        self.bias = None if layers[0].bias is None else torch.cat([layer.bias for layer in layers])
        for layer, (first, last) in zip(layers, self.bounds, strict=True):
            layer.weight.data = weight[first:last]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return (rows, tokens, sum of their widths) for ``x``, (rows, tokens, width)."""
        flat = x.view(-1, x.shape[-1])
        product = torch.mm(flat, self.matrix) if self.bias is None else torch.addmm(self.bias, flat, self.matrix)
        result = product.view(*x.shape[:-1], -1)
        for name, (first, last) in zip(self.names, self.bounds, strict=True):
            layer = getattr(self.owner, name)
            if type(layer) is not Linear:
                _adapt(layer, result[..., first:last], x)
        return result


class LlamaLayer:
    """What :func:`install_llama_layers` puts in the place of a decoder layer's ``forward``."""

    def __init__(self, layer: Any, number: int) -> None:
        self.attention, self.mlp, self.number = layer.self_attn, layer.mlp, number
        self.before_attention, self.before_mlp = layer.input_layernorm.forward, layer.post_attention_layernorm.forward
        self.dimension = int(self.attention.head_dim)
        self.heads, self.key_heads = (
            getattr(self.attention, name).out_features // self.dimension for name in ("q_proj", "k_proj")
        )
        self.queries_keys_values = JoinedLinear(self.attention, ATTENTION[:3])
        self.gate_up = JoinedLinear(self.mlp, MLP[:2])

    def __call__(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_embeddings: Any = None,
        past_key_values: Any = None,
        **_: Any,
    ) -> torch.Tensor:
        """Return the next hidden states, (rows, new tokens, width) as they came.

        ``position_embeddings``: as :func:`_signed` returns them.
        """
        rows, new, _width = hidden_states.shape
        joined = self.queries_keys_values(self.before_attention(hidden_states)).view(rows, new, -1, self.dimension)
        turning, values = joined.tensor_split((self.heads + self.key_heads,), 2)
        cos, sin = position_embeddings
        turned = turning.roll(self.dimension // 2, -1).mul_(sin).add_(turning * cos).transpose(1, 2)
        queries, keys = turned.tensor_split((self.heads,), 1)
        values = values.transpose(1, 2)
        if past_key_values is not None:
            keys, values = past_key_values.update(keys, values, self.number)
        scaling = self.attention.scaling
        attended, _none = attend(self.attention, queries, keys, values, attention_mask, scaling)
        hidden_states = _add_product(hidden_states, attended.reshape(rows, new, -1), self.attention.o_proj)
        gate, up = self.gate_up(self.before_mlp(hidden_states)).chunk(2, -1)
        return _add_product(hidden_states, self.mlp.act_fn(gate).mul_(up), self.mlp.down_proj)


def install_llama_layers(model: Any) -> None:
    """Let the decoder layers of a float32 or float64 ``model`` run as :class:`LlamaLayer`, if they are of that form."""
    if model.config.model_type not in FAMILIES:
        return
    rotary, layers = model.model.rotary_emb, list(model.model.layers)
    if not all(map(_is_llama, layers)):
        return
    before = _sample_logits(model)
    try:
        for number, layer in enumerate(layers):
            layer.forward = LlamaLayer(layer, number)
        rotary.forward = partial(_signed, rotary.forward)
        difference = (_sample_logits(model) - before).norm()
        same = bool(difference <= TOLERANCE[model.dtype] * before.norm() and torch.isfinite(before.norm()))
    except Exception:  # of any kind: a class of that name may be of another form after all
        same = False
    if not same:
        for changed in (rotary, *layers):
            vars(changed).pop("forward", None)


@torch.no_grad()
def _sample_logits(model: Any) -> torch.Tensor:
    ids = torch.randint(model.config.vocab_size, SAMPLE, generator=torch.Generator().manual_seed(0))
    logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits
    return logits.double()


def by_columns(weight: torch.Tensor) -> torch.Tensor:
    """Return the same matrix, stored by columns.

    MKL multiplies one row by such a matrix as fast as memory is read, and by one stored by rows at 0.6 times that.
    """
    return weight.t().contiguous().t()


def _is_llama(layer: Module) -> bool:
    """Return whether it has the modules of a layer of this form, none wanting and none besides."""
    if {name for name, _ in layer.named_children()} != PARTS:
        return False
    attention, mlp = layer.get_submodule("self_attn"), layer.get_submodule("mlp")
    if {name for name, _ in attention.named_children()} != set(ATTENTION):
        return False
    if {name for name, _ in mlp.named_children()} != {*MLP, "act_fn"}:
        return False
    linears = [[getattr(owner, name) for name in names] for owner, names in ((attention, ATTENTION), (mlp, MLP))]
    if not all(type(module) is Linear for modules in linears for module in modules):
        return False
    return all(len({module.bias is None for module in joined}) == 1 for joined in (linears[0][:3], linears[1][:2]))


def _signed(rotary: Any, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and sines for ``x * cos + roll(x) * sin``, each (rows, tokens, 1, dimension).

    Rotary embedding takes ``-x2`` beside ``x1``: the sign goes to the first half of the sines here, once a pass.
    """
    cos, sin = rotary(*args, **kwargs)
    first, second = sin.chunk(2, -1)
    return cos[:, :, None], torch.cat((-first, second), -1)[:, :, None]


def _add_product(hidden_states: torch.Tensor, x: torch.Tensor, layer: Module) -> torch.Tensor:
    """Return ``hidden_states + layer(x)``."""
    if type(layer) is not Linear or layer.bias is not None:
        return hidden_states.add(layer(x))
    return torch.addmm(hidden_states.flatten(0, 1), x.flatten(0, 1), layer.weight.t()).view_as(hidden_states)


def _adapt(layer: Any, result: torch.Tensor, x: torch.Tensor) -> None:
    """Make ``result``, the product of a wrapped layer's own weights with ``x``, what the wrapped layer returns."""
    if (adapt := getattr(layer.forward, "add_to", None)) is not None:
        adapt(result, x)
    else:
        result.copy_(layer(x))
