"""Copies of a model share a batch, a thread each: beside other programs they wait once a step, not once a product."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import torch

from holdfast.adapters.micro.encoding import IGNORED, Batch

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


class Replicas:
    """A model and ``count - 1`` copies of it, which follow its weights."""

    def __init__(self, model: LlamaForCausalLM, count: int) -> None:
        self._models = [model, *(copy.deepcopy(model) for _ in range(count - 1))]
        self._pool = ThreadPoolExecutor(count, initializer=partial(torch.set_num_threads, 1))

    @property
    def model(self) -> LlamaForCausalLM:
        """The model that is trained."""
        return self._models[0]

    def backward(self, batch: Batch) -> float:
        """Set the model's gradients for the weighted mean cross-entropy over labelled tokens; return it."""
        count = min(len(self._models), len(batch.tokens))
        shares = [Batch(batch.tokens[n::count], batch.labels[n::count], batch.weights[n::count]) for n in range(count)]
        models = self._models[:count]
        for model in models:
            model.zero_grad()
        total = batch.weights[:, 1:][batch.labels[:, 1:] != IGNORED].sum()
        losses = list(self._pool.map(lambda model, share: _backward(model, share, total), models, shares))
        first, *others = (list(model.parameters()) for model in models)
        for parameters in others:
            for mine, theirs in zip(first, parameters, strict=True):
                assert mine.grad is not None
                assert theirs.grad is not None
                mine.grad += theirs.grad
        return sum(losses)

    def follow(self) -> None:
        """Give the copies the weights of the model, after a step of its optimizer."""
        first, *others = (list(model.parameters()) for model in self._models)
        with torch.no_grad():
            for parameters in others:
                for mine, theirs in zip(first, parameters, strict=True):
                    theirs.copy_(mine)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def weighted_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Return the weighted sum of the cross-entropy over labelled tokens; only their logits are computed."""
    hidden = model.model(input_ids=batch.tokens).last_hidden_state
    learned = batch.labels[:, 1:] != IGNORED
    logits = model.lm_head(hidden[:, :-1][learned]).float()
    losses = torch.nn.functional.cross_entropy(logits, batch.labels[:, 1:][learned], reduction="none")
    return (losses * batch.weights[:, 1:][learned]).sum()


def _backward(model: LlamaForCausalLM, batch: Batch, total: torch.Tensor) -> float:
    loss = weighted_loss(model, batch) / total
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item()
