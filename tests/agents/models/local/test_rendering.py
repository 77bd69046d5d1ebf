"""Tokens come out as if every text were tokenised whole, and templates that rewrite history are followed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.local.rendering import Renderer
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import ModelError
from tests.agents.models.conftest import TEMPLATE, build_tokenizer, count_tokens_read

FORGETFUL = TEMPLATE.replace("{{ m['content'] }}", "{{ m['content'] if m.role != 'assistant' else m['content'][3:] }}")
GREEDY = Sampling(0, max_tokens=5)


def renderer_of(tokenizer: Any, name: str = "model") -> Renderer:
    return Renderer(tokenizer, ChatTemplate.of(tokenizer, name))


def whole(tokenizer: Any, messages: tuple[Message, ...]) -> list[int]:
    text = tokenizer.apply_chat_template([m.as_dict() for m in messages], tokenize=False, add_generation_prompt=True)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.fixture(scope="module")
def micro() -> Any:
    return AutoTokenizer.from_pretrained(base_path())


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.text(max_size=30), min_size=1, max_size=9))
def test_turn_after_turn_gives_the_tokens_of_the_whole(micro: Any, lines: list[str]) -> None:
    renderer = renderer_of(micro)
    assert renderer._marks
    messages: tuple[Message, ...] = ()
    for number, line in enumerate(lines):
        messages += (Message("user" if number % 2 == 0 else "assistant", line),)
        if number % 2 == 0:
            assert renderer.tokens("k", messages).tolist() == whole(micro, messages)


def test_only_what_is_new_is_tokenised() -> None:
    seen: list[str] = []
    tokenizer = build_tokenizer()

    class Listening:
        added_tokens_decoder = tokenizer.added_tokens_decoder
        unk_token_id = tokenizer.unk_token_id

        def __call__(self, text: str, **settings: Any) -> Any:
            seen.append(text)
            return tokenizer(text, **settings)

    renderer = Renderer(Listening(), ChatTemplate.of(tokenizer, "listening"), kept=1)
    messages = (Message("user", "w1 w2"),)
    seen.clear()
    renderer.tokens("a", messages)
    messages += (Message("assistant", "w3"), Message("user", "w4"))
    renderer.tokens("a", messages)
    assert seen == ["<s><user> w1 w2 </s><assistant>", "<assistant> w3 </s><user> w4 </s><assistant>"]
    renderer.tokens("b", messages)  # one place: "a" is forgotten
    seen.clear()
    assert renderer.tokens("a", messages).tolist() == whole(tokenizer, messages)
    assert seen == ["<s><user> w1 w2 </s><assistant> w3 </s><user> w4 </s><assistant>"]


def test_a_special_token_inside_a_message_is_no_trap(micro: Any) -> None:
    mark = next(token.content for token in micro.added_tokens_decoder.values() if token.special)
    renderer = renderer_of(micro)
    messages: tuple[Message, ...] = (Message("user", f"what is {mark}{mark} and {mark}?"),)
    for line in (f"{mark} is a mark", "I see"):
        assert renderer.tokens("k", messages).tolist() == whole(micro, messages)
        messages += (Message("assistant", line), Message("user", f"{mark}"))
    assert renderer.tokens("k", messages).tolist() == whole(micro, messages)


def test_a_tokenizer_whose_tokens_reach_over_the_cut_is_left_alone() -> None:
    """Here a word's token depends on whether the text begins with it: text after a cut would come out otherwise."""
    vocabulary = {word: number for number, word in enumerate(["<unk>", "<s>", "^", "a", "b"])}
    inner = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    inner.normalizer = normalizers.Replace("x", "ab")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>")
    tokenizer.add_special_tokens({"bos_token": AddedToken("<s>", special=True, lstrip=True)})
    tokenizer.chat_template = "{% for m in messages %} <s>{{ m['content'] }}{% endfor %}"
    renderer = renderer_of(tokenizer)
    assert not renderer._marks
    messages = (Message("user", "x a"), Message("assistant", "b"), Message("user", "x"))
    assert renderer.tokens("k", messages).tolist() == whole(tokenizer, messages)


async def test_a_template_that_rewrites_history_is_followed(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It drops the first word of every earlier reply, as templates of thinking models drop the thinking."""
    folder = tmp_path / "forgetful"
    shutil.copytree(llama, folder)
    (folder / "chat_template.jinja").write_text(FORGETFUL, encoding="utf-8")
    model = LocalChatModel.load(folder, dtype="float64")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    read = count_tokens_read(model, monkeypatch)
    before: list[int] = []
    messages: tuple[Message, ...] = (Message("user", "w1 w2 w3"),)
    for turn in range(4):
        read.clear()
        reply = await model.generate(GenerationRequest("k", messages, turn, sampling=GREEDY))
        fresh = LocalChatModel.load(folder, dtype="float64")
        assert reply == await fresh.generate(GenerationRequest("k", messages, turn, sampling=GREEDY))
        if turn:
            # The reply differs from its first word on; what comes before it stays in the cache.
            rewritten = whole(tokenizer, messages)[len(before) :]
            assert read[0] == len(rewritten)
        before = whole(tokenizer, messages)
        messages += (Message("assistant", reply.text), Message("user", f"w{turn + 40} w5"))


def test_a_template_that_refuses_says_so() -> None:
    tokenizer = build_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('no system message, please') }}"
    renderer = renderer_of(tokenizer, "picky")
    with pytest.raises(ModelError, match="chat template of picky refuses the messages: no system message, please"):
        renderer.tokens("k", (Message("user", "w1"),))
    assert np.array_equal(renderer._tokenise("w1 w2"), [8, 9])
