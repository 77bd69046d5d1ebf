"""A reply ends where the template ends it: at a token, special or not, or where a text begins."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from tokenizers import AddedToken
from transformers import AutoTokenizer

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.end_of_turn import end_of_turn
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from tests.agents.models.conftest import TEMPLATE, build_tokenizer

START = "<s>{% for m in messages %}<{{ m.role }}> {{ m.content }}"
PROMPT = "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"


def of(source: str) -> tuple[set[int], str | None]:
    tokenizer = build_tokenizer()
    tokenizer.add_tokens([AddedToken("[END]", special=False), AddedToken("\n\n", special=False)])
    end = end_of_turn(ChatTemplate(source, tokenizer.special_tokens_map, "m"), tokenizer)
    return set(end.ids), None if end.text is None else end.text.pattern.pattern


EOS, USER, END = 3, 5, 100


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        (TEMPLATE, {EOS}),
        (START + "{{ eos_token }}\n" + PROMPT, {EOS}),
        (START + "\n\n{{ eos_token }}" + PROMPT, {EOS}),
        (START + "[END]" + PROMPT, {END}),
        (START + PROMPT, {USER}),  # nothing behind the last message: the next user's mark
        (START + "{{ eos_token if loop.last and not add_generation_prompt else '[END]' }}" + PROMPT, {EOS}),  # Harmony
        ("{% if messages[-1].role == 'assistant' %}{{ raise_exception('no') }}{% endif %}" + TEMPLATE, {EOS}),
    ],
)
def test_the_token_behind_a_reply(source: str, ids: set[int]) -> None:
    assert of(source) == (ids, None)


def test_the_text_behind_a_reply_where_there_is_no_token() -> None:
    lines = "{% for m in messages %}{{ m.role | upper }}: {{ m.content }}\n{% endfor %}ASSISTANT:"
    assert of(lines)[0] == set()
    ids, pattern = of("{% for m in messages %}{{ '\n' + m.role | upper }}: {{ m.content }}{% endfor %}")
    assert (ids, pattern) == (set(), r"(?:\A|\n)\s*USER:")
    assert of("{% for m in messages %}{{ m.content }}\n\n### End\nx{% endfor %}")[1] == r"(?:\A|\n)\s*\#\#\#\ End(?!\w)"
    assert of("{% for m in messages %}{{ m.content }}<|stop|>{% endfor %}")[1] == r"<\|stop\|>"
    assert of("{% for m in messages %}{{ m.content }}\n{% endfor %}") == (set(), None)
    assert of("{{ messages[0].content }}") == (set(), None)


def folder_of(llama: Path, folder: Path, template: str, *, added: bool = False) -> Path:
    shutil.copytree(llama, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template
    if added:
        tokenizer.add_tokens([AddedToken("w7", special=False)])
    tokenizer.save_pretrained(folder)
    return folder


async def replies(folder: Path) -> list[Generation]:
    model = LocalChatModel.load(folder, dtype="float64", batch_size=8)
    sampling = Sampling(temperature=2.0, max_tokens=40)
    ask = [GenerationRequest(f"k{seed}", (Message("user", "w1 w2"),), seed, sampling=sampling) for seed in range(40)]
    return await asyncio.gather(*map(model.generate, ask))


@pytest.mark.parametrize("added", [True, False], ids=["a token that is not special", "a text"])
async def test_what_the_model_writes_behind_its_end_is_not_its_reply(llama: Path, tmp_path: Path, added: bool) -> None:
    """In the template of one model, w7 ends every message; the other goes on. Both read the same prompt."""
    plain = "<s> {% for m in messages %}{{ m.role }} {{ m.content }} w7 {% endfor %}"
    with_prompt = "{% if add_generation_prompt %}" + plain + "{% else %}{{ messages[0].content }}{% endif %}"
    whole = await replies(folder_of(llama, tmp_path / "goes-on", with_prompt, added=added))
    ended = await replies(folder_of(llama, tmp_path / "ends", plain, added=added))
    cut = 0
    for long, short in zip(whole, ended, strict=True):
        words = long.text.split()
        at = words.index("w7") if "w7" in words else None
        assert short.text.split() == words[:at]
        if at is not None:
            cut += 1
            assert short.finish_reason == "stop"
            assert at + 1 <= short.completion_tokens <= long.completion_tokens  # some tokens are not seen
        else:
            assert short == long
    assert 2 < cut < 38
