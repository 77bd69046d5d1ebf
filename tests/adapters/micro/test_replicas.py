"""Replicas share a batch and come to what one model comes to."""

from __future__ import annotations

import random
from itertools import islice

import pytest
import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from holdfast.adapters.micro import base_path
from holdfast.adapters.micro.build import make_model, train_stage
from holdfast.adapters.micro.encoding import Batch, Encoder
from holdfast.adapters.micro.recipes import BuildRecipe, ModelSize
from holdfast.adapters.micro.replicas import Replicas
from holdfast.adapters.micro.world import documents

SMALL = BuildRecipe(size=ModelSize(hidden=16, feed_forward=32, layers=2, heads=2))


def batches(rows: int, count: int) -> list[Batch]:
    rng = random.Random(0)
    world = documents(rng, recipe="cue", prompted_share=0.5, long_turns=(1, 2))
    return list(islice(Encoder(AutoTokenizer.from_pretrained(base_path())).batches(world, rows, rng), count))


def small_model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return make_model(SMALL.size, AutoTokenizer.from_pretrained(base_path()))


@pytest.mark.parametrize(("rows", "count"), [(6, 2), (5, 3), (2, 4)])
def test_the_gradient_is_that_of_one_model(rows: int, count: int) -> None:
    (batch,) = batches(rows, 1)
    gradients, losses = [], []
    for replicas in (Replicas(small_model(), 1), Replicas(small_model(), count)):
        losses.append(replicas.backward(batch))
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in replicas.model.parameters()]))
        replicas.close()
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)
    assert gradients[0].abs().max() > 1e-3


def test_the_same_threads_give_the_same_weights_and_training_lowers_the_loss() -> None:
    data, weights, losses = batches(4, 30), [], []
    for _ in range(2):
        replicas = Replicas(small_model(), 2)
        train_stage(replicas, iter(data), SMALL, len(data), 3e-2, lambda step, steps, loss: losses.append(loss))
        weights.append([parameter.detach().clone() for parameter in replicas.model.parameters()])
        replicas.close()
    assert all(torch.equal(one, two) for one, two in zip(*weights, strict=True))
    assert losses[29] < losses[0] - 0.3
