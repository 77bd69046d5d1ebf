"""A model of random weights answers in the form of a JSON schema, whatever it would have written by itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, LlamaConfig, PreTrainedTokenizerFast
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from holdfast.agents.models.local.constrained import LARGEST, LONGEST_TEXT, MOST_ITEMS, Schemas, bounded
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from holdfast.agents.raters.judge.rater import JudgeRater
from holdfast.agents.raters.protocol import EXPRESSED, FELT, Passage

TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{{ opened }}{% endif %}"
)
SPECIAL = ["</s>", "<system>", "<user>", "<assistant>"]
PADDED = 304  # logits of the model: more than its tokenizer has words, as in many models
SCHEMA: dict[str, Any] = {
    "title": "answer",
    "type": "object",
    "properties": {
        "id": {"type": "string", "enum": ["m-1f"]},
        "said": {"type": "string"},
        "quotes": {"type": "array", "items": {"type": "string", "maxLength": 12}},
        "score": {"anyOf": [{"type": "number", "minimum": 1, "maximum": 5}, {"type": "null"}]},
    },
    "required": ["id", "said", "quotes", "score"],
    "additionalProperties": False,
}


def build(path: Path, opened: str = "", template: str = TEMPLATE, added: str = "", end: int | None = 0) -> Path:
    """Save a small model that writes bytes.

    ``opened``: what its template puts before an answer; ``added``: a token beside them; ``end``: the one that ends.
    """
    letters = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *sorted(letters)])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    ending = {} if end is None else {"eos_token": "</s>"}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, extra_special_tokens=SPECIAL[1:], **ending)
    wrapped.add_tokens([AddedToken(added, special=False)] if added else [])
    wrapped.chat_template = template.replace("{{ opened }}", opened)
    wrapped.save_pretrained(path)
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=PADDED,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=16384,
        eos_token_id=end,
        pad_token_id=0,
    )
    AutoModelForCausalLM.from_config(config, dtype=torch.float64).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def bytes_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("bytes") / "model")


def request(number: int, schema: dict[str, Any] | None = SCHEMA, temperature: float = 1.0) -> GenerationRequest:
    messages = (Message("user", f"number {number}"),)
    sampling = Sampling(temperature, max_tokens=2500)
    return GenerationRequest(f"k{number}", messages, seed=number, sampling=sampling, schema=schema)


async def ask(path: Path, requests: list[GenerationRequest], batch: int) -> list[Generation]:
    model = LocalChatModel.load(path, dtype="float64", batch_size=batch)
    return list(await asyncio.gather(*map(model.generate, requests)))


async def test_every_answer_keeps_to_the_schema_and_ends(bytes_model: Path) -> None:
    asked = [request(number, temperature=(0.0, 1.0, 2.0)[number % 3]) for number in range(6)]
    answers = await ask(bytes_model, asked, batch=4)
    for answer in answers:
        value = json.loads(answer.text)
        jsonschema.validate(value, SCHEMA)
        assert len(value["said"]) <= LONGEST_TEXT
        assert len(value["quotes"]) <= MOST_ITEMS
        assert answer.finish_reason == "stop"
    assert len({answer.text for answer in answers}) > 3


async def test_an_answer_is_the_same_alone_and_beside_free_ones(bytes_model: Path) -> None:
    free = [replace(request(number, None), sampling=Sampling(1.0, max_tokens=60)) for number in range(10, 14)]
    beside = await ask(bytes_model, [request(1), *free, request(2)], batch=6)
    alone = [*await ask(bytes_model, [request(1)], batch=1), *await ask(bytes_model, [request(2)], batch=1)]
    assert [beside[0].text, beside[-1].text] == [answer.text for answer in alone]
    unmasked = await ask(bytes_model, free, batch=1)
    assert [answer.text for answer in beside[1:-1]] == [answer.text for answer in unmasked]


async def test_tokens_that_must_come_are_read_in_one_pass(bytes_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalChatModel.load(bytes_model, dtype="float64", batch_size=1)
    passes = 0
    draw = model._engine._draw

    def counting(rows: Any, logits: Any) -> None:
        nonlocal passes
        passes += 1
        draw(rows, logits)

    monkeypatch.setattr(model._engine, "_draw", counting)
    only = {"type": "object", "properties": {"id": {"enum": ["m-1f"]}}, "required": ["id"]}
    answer = await model.generate(request(1, {**only, "additionalProperties": False}))
    assert answer.text == '{"id": "m-1f"}'
    assert passes <= 4


async def test_an_answer_has_the_same_tokens_whatever_is_guessed_behind_its_end(bytes_model: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"enum": list(range(40))}}, "required": ["n"]}
    told = "".join(f'"n": {n}}}x{n}}}</s>' for n in range(40))  # what may follow an answer, as an example in a prompt
    asked = [replace(request(n, schema | {"additionalProperties": False}), key=f"k{n}") for n in range(4)]
    asked = [replace(each, messages=(Message("user", told),)) for each in asked]
    models = [LocalChatModel.load(bytes_model, dtype="float64", batch_size=1) for _ in range(2)]
    models[0]._engine._ahead.tokens_a_pass = 1  # guesses nothing
    alone, guessed = [[await model.generate(each) for each in asked] for model in models]
    assert alone == guessed
    assert all(answer.completion_tokens == len(answer.text) for answer in guessed)


@pytest.mark.parametrize("most", [90, 300])
async def test_texts_end_before_the_tokens_do(bytes_model: Path, most: int) -> None:
    asked = [replace(request(n), sampling=Sampling((0.0, 2.0)[n % 2], max_tokens=most)) for n in range(6)]
    answers = await ask(bytes_model, asked, batch=6)
    for answer in answers:
        jsonschema.validate(json.loads(answer.text), SCHEMA)
        assert answer.finish_reason == "stop"
    assert most - 40 < max(answer.completion_tokens for answer in answers) <= most


@pytest.mark.parametrize("closing", ["</think>", "</plan>"])
async def test_a_thought_that_the_template_opens_is_free_up_to_its_end(tmp_path: Path, closing: str) -> None:
    path = build(tmp_path / "thinks", opened="<think>\n", added=closing)
    schema = {**SCHEMA, "properties": {"id": {"enum": ["m-1f"]}}, "required": ["id"]}
    thinking = [replace(request(n, schema), sampling=Sampling(1.0, max_tokens=400)) for n in range(8)]
    answers = await ask(path, thinking, batch=8)
    free = await ask(path, [replace(each, schema=None) for each in thinking], batch=8)
    assert all(plain.thoughts.startswith(each.thoughts) for each, plain in zip(answers, free, strict=True))
    said = {(each.text, each.finish_reason) for each in answers if each.text}
    assert said == (
        {('{"id": "m-1f"}', "stop")} if closing == "</think>" else set()
    )  # a rare name closes what it opened


@pytest.mark.parametrize("end", [0, None])
async def test_what_ends_a_reply_ends_no_text_of_an_answer(tmp_path: Path, end: int | None) -> None:
    template = (
        "{% for m in messages %}{{ m['role'] | upper }}: {{ m['content'] }} {% endfor %}"
        "{% if add_generation_prompt %}ASSISTANT: {{ opened }}{% endif %}"
    )
    path = build(tmp_path / "plain", template=template, end=end)
    schema = {"type": "object", "properties": {"id": {"enum": ["the USER: said"]}}, "required": ["id"]}
    (answer,) = await ask(path, [request(1, schema | {"additionalProperties": False})], batch=1)
    assert (answer.text, answer.finish_reason) == ('{"id": "the USER: said"}', "stop")


def test_a_vocabulary_that_is_read_as_other_text_constrains_nothing() -> None:
    characters = [
        ("<unk>", 0.0),
        *((f"<0x{byte:02X}>", -10.0) for byte in range(256)),
        *((chr(n), -3.0) for n in range(33, 127)),
    ]
    tokenizer = Tokenizer(models.Unigram([*characters, ("\u2581", -2.0)], 0, True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace()]
    )  # which llguidance passes over
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")
    assert wrapped.decode(wrapped.encode('{"id": 1}')) == '{"id": 1}'
    assert Schemas(wrapped, len(wrapped), frozenset({0})).constraint(SCHEMA) is None


async def test_a_vocabulary_without_json_answers_without(llama: Path) -> None:
    words = GenerationRequest("k", (Message("user", "w1 w2"),), seed=1, sampling=Sampling(1.0, max_tokens=9))
    free, asked = await ask(llama, [words, replace(words, schema=SCHEMA)], batch=2)
    assert asked.text == free.text != ""


@pytest.mark.parametrize("scale", [EXPRESSED, FELT])
async def test_a_judge_of_random_weights_leaves_no_answer_unread(bytes_model: Path, scale: Any) -> None:
    model = LocalChatModel.load(bytes_model, dtype="float64", batch_size=4)
    passages = [Passage((Message("user", f"I lost {n} keys."), Message("assistant", "Oh no."))) for n in range(4)]
    sampling = Sampling(1.0, max_tokens=1500)
    judge = JudgeRater(model, scale, "bytes", sampling=sampling)
    assert (judge.identity.version[:2], replace(judge, structured=False).identity.version[:2]) == ("2/", "1/")
    ratings = await judge.rate(passages)
    assert not [sample.refused for rating in ratings for sample in rating.samples if sample.refused is not None]
    values = [value for rating in ratings for value in rating.values.values()]
    assert all(scale.low <= value <= scale.high for value in values)
    assert len(set(values)) > 1


def test_what_has_an_end_of_its_own_keeps_it() -> None:
    given = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}, "b": {"enum": [1]}}}
    assert bounded(given) == given
    assert bounded({"type": "integer", "minimum": 1}) == {"type": "integer", "minimum": 1, "maximum": LARGEST}
    assert bounded({"type": ["string", "null"]}) == {"type": ["string", "null"], "maxLength": LONGEST_TEXT}
    named = {"properties": {"type": {"type": "string"}, "const": {"const": {"type": "string"}}}}
    assert bounded(named)["properties"]["type"] == {"type": "string", "maxLength": LONGEST_TEXT}
    assert bounded(named)["properties"]["const"] == {"const": {"type": "string"}}


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(1, 5, 0.1), (0, 2, 0.1), (0.05, 1, 0.01), (0.55, 0.95, 0.01), (-2.5, -1.25, 0.1), (0.01, 0.09, 0.001)],
)
def test_every_step_between_the_ends_of_a_scale_can_be_said(
    bytes_model: Path, low: float, high: float, step: float
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(bytes_model)
    schemas = Schemas(tokenizer, PADDED, frozenset({0}))
    asked = {"type": "object", "properties": {"n": {"type": "number", "minimum": low, "maximum": high}}}
    schema = {**asked, "required": ["n"], "additionalProperties": False}

    def takes(number: str) -> bool:
        constraint = schemas.constraint(schema)
        assert constraint is not None
        for token in tokenizer.encode(f'{{"n": {number}}}', add_special_tokens=False):
            constraint.take(token)
        return constraint.complete

    def can_say(number: Decimal) -> bool:
        return takes(f"{number}") or takes(f"{number.normalize():f}")

    wide = Decimal(str(step))
    first, last = (
        (Decimal(str(low)) / wide).to_integral(ROUND_CEILING),
        (Decimal(str(high)) / wide).to_integral(ROUND_FLOOR),
    )
    assert all(can_say(number * wide) for number in map(Decimal, range(int(first), int(last) + 1)))
    assert not can_say((last + 1) * wide)
    assert not can_say((first - 1) * wide)
