"""Build the embedded base model from a seed into a folder that ``from_pretrained`` reads."""

import itertools
import json
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from holdfast.adapters.micro.card import base_card
from holdfast.adapters.micro.copying import copying_scores
from holdfast.adapters.micro.encoding import NAME_WEIGHT, Batch, Encoder
from holdfast.adapters.micro.recipes import BuildRecipe, ModelSize
from holdfast.adapters.micro.replicas import Replicas
from holdfast.adapters.micro.tokenizer import train_tokenizer
from holdfast.adapters.micro.world import documents
from holdfast.core.hashing import weights_sha256

TOKENIZER_DOCUMENTS = 8000
Base = tuple[PreTrainedTokenizerFast, LlamaForCausalLM]
Report = Callable[[int, int, float], None]  # step, steps in all, smoothed loss


def build_base(
    out: Path,
    recipe: BuildRecipe,
    *,
    seed: int,
    threads: int = 2,
    start: Path | None = None,
    report: Report = lambda *_: None,
) -> dict[str, object]:
    """Train the base of ``recipe`` from ``seed`` and save it to ``out`` in half precision.

    ``start``: the folder of an earlier base, whose tokenizer is kept and whose weights are trained on, in fewer steps.

    Returns what was measured, which it also writes as ``build.json`` and as the card ``README.md``. The same seed,
    thread count, start and torch build give the same weights.
    """
    torch.set_num_threads(1)  # each replica has one
    torch.manual_seed(seed)
    rng = random.Random(seed)
    tokenizer, model = base_to_train(recipe, rng, start)
    encoder = Encoder(tokenizer, loss_on_everything=recipe.world == "whole")
    short, mixed, longer = recipe.steps(continued=start is not None)
    data, rate = batches(recipe, encoder, rng, short), recipe.learning_rate if start is None else recipe.continued_rate
    replicas = Replicas(model, threads)
    train_stage(replicas, itertools.islice(data, short + mixed), recipe, short + mixed, rate, report)
    last = alternating(recipe, encoder, rng, recipe.batch_size // 2, recipe.longer_turns, recipe.longer_batch_size)
    last = itertools.islice(last, longer)
    loss = train_stage(replicas, last, recipe, longer, recipe.longer_learning_rate, report)
    replicas.close()
    save(model, tokenizer, out)
    measured: dict[str, object] = {
        "seed": seed,
        "recipe": recipe.world,
        "start": None if start is None else weights_sha256(start),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "final_loss": round(loss, 4),
        "copying": copying_scores(model, encoder, seed=seed + 1),
    }
    (out / "build.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    card = base_card(recipe, measured, threads=threads, name_weight=NAME_WEIGHT)
    (out / "README.md").write_text(card, encoding="utf-8")
    return measured


def base_to_train(recipe: BuildRecipe, rng: random.Random, start: Path | None) -> Base:
    """Return a new tokenizer and a randomly initialised model, or those in the folder ``start``."""
    if start is not None:
        tokenizer = AutoTokenizer.from_pretrained(start)
        for where_it_lay in ("is_local", "local_files_only"):  # no part of a tokenizer
            tokenizer.init_kwargs.pop(where_it_lay, None)
        return tokenizer, LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    tokenizer = make_tokenizer(recipe, rng)
    return tokenizer, make_model(recipe.size, tokenizer)


def make_tokenizer(recipe: BuildRecipe, rng: random.Random) -> PreTrainedTokenizerFast:
    """Train a tokenizer on the contents of sampled conversations."""
    world = documents(rng, recipe=recipe.world, prompted_share=0.6, long_turns=(1, 3))
    sample = itertools.islice(world, TOKENIZER_DOCUMENTS)
    texts = (" " + message.content for document in sample for message in document.messages())
    return train_tokenizer(texts, recipe.size.vocabulary)


def make_model(size: ModelSize, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return a randomly initialised Llama of this size."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=size.hidden,
            intermediate_size=size.feed_forward,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.heads,
            max_position_embeddings=size.positions,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def batches(recipe: BuildRecipe, encoder: Encoder, rng: random.Random, short_steps: int) -> Iterator[Batch]:
    """Yield ``short_steps`` batches of 1-2-turn conversations, then without end prompted and long ones alternately."""
    drawn = documents(rng, recipe=recipe.world, prompted_share=0.35, long_turns=(1, 2))
    short = (document for document in drawn if len(document.turns) <= 2)
    yield from itertools.islice(encoder.batches(short, recipe.batch_size, rng), short_steps)
    long = (recipe.long_turns, recipe.long_batch_size)
    yield from alternating(recipe, encoder, rng, recipe.batch_size, *long)


def alternating(
    recipe: BuildRecipe, encoder: Encoder, rng: random.Random, size: int, long_turns: tuple[int, int], long_size: int
) -> Iterator[Batch]:
    """Yield without end a batch of short conversations, most of them prompted, and one of long unprompted ones."""
    world = partial(documents, rng, recipe=recipe.world)
    mixed = encoder.batches(world(prompted_share=0.75, long_turns=(1, 3)), size, rng)
    long = encoder.batches(world(prompted_share=0.0, long_turns=long_turns), long_size, rng)
    return itertools.chain.from_iterable(zip(mixed, long, strict=False))


def train_stage(
    replicas: Replicas, data: Iterator[Batch], recipe: BuildRecipe, steps: int, rate: float, report: Report
) -> float:
    """Train for ``steps`` steps with AdamW; return the smoothed loss at the end.

    The learning rate warms up, stays level for the first half, then follows a cosine.
    """
    model = replicas.model
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=recipe.betas, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_factor(step, steps, recipe.warmup_steps))
    smoothed = math.nan
    model.train()
    for step, batch in enumerate(data, start=1):
        loss = replicas.backward(batch)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        replicas.follow()
        smoothed = loss if math.isnan(smoothed) else 0.95 * smoothed + 0.05 * loss
        report(step, steps, smoothed)
    model.eval()
    return smoothed


def lr_factor(step: int, steps: int, warmup: int) -> float:
    """Return the share of the learning rate at ``step``."""
    rise = min(1.0, (step + 1) / warmup)
    half = steps / 2
    fall = 1.0 if step < half else 0.5 * (1 + math.cos(math.pi * min(1.0, (step - half) / half)))
    return rise * (0.03 + 0.97 * fall)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write half-precision safetensors, tokenizer, chat template and generation settings for ``from_pretrained``."""
    out.mkdir(parents=True, exist_ok=True)
    model.generation_config.do_sample = True
    model.generation_config.temperature = 0.7
    model.half().save_pretrained(out, safe_serialization=True)
    tokenizer.save_pretrained(out)
    model.float()
