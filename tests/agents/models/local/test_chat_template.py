"""What a template is given arrives in its prompt or is missed; the clock stands still; files say what loading says."""

from __future__ import annotations

import json
import pickle
import shutil
from datetime import date
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.chat_template import ChatTemplate, LostMessageError
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.local.template_files import template_in
from holdfast.agents.models.local.templates.trial import _why_endless
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import ModelError
from tests.agents.models.conftest import TEMPLATE

SYSTEM, USER, REPLY = (
    Message("system", "Be kind,\nalways."),
    Message("user", " It's  bad. "),
    Message("assistant", "Oh."),
)
ALL = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
CLOCK = "{{ strftime_now('%d %b %Y %H:%M:%S') }}" + ALL


def prompt(source: str, *messages: Message) -> str:
    return ChatTemplate(source, {}, "m").prompt(messages)


@pytest.mark.parametrize(
    "source",
    [
        ALL,
        "{% for m in messages %}{{ m.content | trim }} {% endfor %}",
        "{% for m in messages %}{{ m.content.split() | join(' ') }}\n{% endfor %}",
        "{% for m in messages %}{{ m.content | tojson }}{% endfor %}",
        "{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}"  # to the front
        "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}",
        "{% for m in messages if m.role != 'system' %}{% if loop.last %}"
        "{{ messages[0].content }}{% endif %}{{ m.content }}{% endfor %}",  # Mistral's
    ],
)
def test_words_arrive_however_they_are_set(source: str) -> None:
    assert prompt(source, SYSTEM, USER)
    assert prompt(source, USER)


@pytest.mark.parametrize(
    ("source", "messages", "lost"),
    [
        ("{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}", (SYSTEM, USER), "system"),
        ("{{ messages[0].content }}{{ messages[-1].content }}", (SYSTEM, USER, REPLY, SYSTEM, USER), "system"),
        ("{{ messages[0].content }}", (SYSTEM, USER), "user"),
        ("{% for m in messages[:-1] %}{{ m.content }}{% endfor %}", (USER, REPLY, SYSTEM, USER), "user"),
        ("{% for m in messages %}{{ m.content[:5] }}{% endfor %}", (SYSTEM, USER), "system"),
        ("{{ messages[-1].content }}{{ messages[0].content }}", (SYSTEM, USER), "user"),  # behind what it asks about
    ],
)
def test_a_lost_message_is_named(source: str, messages: tuple[Message, ...], lost: str) -> None:
    with pytest.raises(
        LostMessageError, match=rf"the chat template of m drops the {lost} message “.*” \(\d of"
    ) as caught:
        prompt(source, *messages)
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # from a process of the model's


async def test_a_model_is_not_asked_with_half_a_prompt(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dropping"
    shutil.copytree(llama, folder)
    (folder / "chat_template.jinja").write_text(
        TEMPLATE.replace("in messages %}", "in messages if m.role != 'system' %}"), encoding="utf-8"
    )
    model = LocalChatModel.load(folder)
    request = GenerationRequest("k", (Message("user", "w1"),), 1, sampling=Sampling(0, max_tokens=2))
    assert (await model.generate(request)).prompt_tokens == 5
    with pytest.raises(ModelError, match="drops the system message “w2”"):
        await model.generate(GenerationRequest("k", (Message("system", "w2"), Message("user", "w1")), 1))


def test_the_clock_stands_at_the_date_that_is_given() -> None:
    assert ChatTemplate(CLOCK, {}, "m").text([USER]).startswith("01 Jan 2025 00:00:00<user>")
    told = ChatTemplate(CLOCK, {}, "m", date(2024, 7, 26))
    assert told.reads_clock
    assert told.text([USER]).startswith("26 Jul 2024 00:00:00<user>")
    assert not ChatTemplate(ALL, {}, "m").reads_clock


async def test_a_model_is_told_the_date_of_its_spec(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clock"
    shutil.copytree(llama, folder)
    (folder / "chat_template.jinja").write_text("{{ strftime_now('w%d w%m') }} " + TEMPLATE, encoding="utf-8")
    request = GenerationRequest("k", (Message("user", "w1"),), 1, sampling=Sampling(0, max_tokens=8))
    days = [date(2024, 7, 26), date(2024, 7, 26), date(2024, 8, 13)]
    first, again, other = [LocalChatModel.load(folder, dtype="float64", today=day) for day in days]
    assert await first.generate(request) == await again.generate(request) != await other.generate(request)


def test_files_give_the_template_that_loading_gives(llama: Path, tmp_path: Path) -> None:
    messages = (SYSTEM, USER, REPLY, USER)
    for folder in (llama, base_path()):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        by_name = template_in(folder, "m")
        assert by_name is not None
        assert by_name.text(messages) == ChatTemplate.of(tokenizer, "m").text(messages)
    settings = tmp_path / "tokenizer_config.json"
    assert template_in(tmp_path, "m") is None
    settings.write_text(json.dumps({"chat_template": "{{ bos_token }}x", "bos_token": {"content": "<s>"}}))
    assert template_in(tmp_path, "m").text([USER]) == "<s>x"  # type: ignore[union-attr]
    named = [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "{{ eos_token + 'd' }}"}]
    settings.write_text(json.dumps({"chat_template": named, "eos_token": ""}))
    assert template_in(tmp_path, "m").text([USER]) == "d"  # type: ignore[union-attr]
    for damaged in ("[" * 100_000, "[]", "{", '{"chat_template": 7}'):
        settings.write_text(damaged)
        assert template_in(tmp_path, "m") is None


@pytest.mark.parametrize(
    ("settings", "older"),
    [
        ({}, {}),
        ({"bos_token": None, "eos_token": {"__type": "AddedToken", "content": "</s>"}}, {}),
        ({"eos_token": "</s>", "added_tokens_decoder": {}}, {"eos_token": "<user>"}),
        ({"eos_token": "</s>"}, {"bos_token": "<s>", "eos_token": "<user>"}),
        ({"bos_token": None}, {"bos_token": {"content": "<s>", "lstrip": False}}),
        ({"bos_token": "", "cls_token": "<s>"}, {"sep_token": "</s>"}),
    ],
)
def test_files_give_the_special_tokens_that_loading_gives(
    settings: dict[str, object], older: dict[str, object], llama: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(llama, tmp_path / "m")
    names = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    shown = " ".join(f"{name}={{{{ {name} if {name} is defined else 'absent' }}}}" for name in names)
    (folder / "chat_template.jinja").write_text(shown)
    plain = {"tokenizer_class": "TokenizersBackend"}
    (folder / "tokenizer_config.json").write_text(json.dumps(plain | settings))
    if older:
        (folder / "special_tokens_map.json").write_text(json.dumps(older))
    rehearsed = template_in(folder, "hf:m")
    tried = _why_endless.cache_info().misses
    loaded = ChatTemplate.of(AutoTokenizer.from_pretrained(folder), "m")
    assert rehearsed is not None
    assert rehearsed.text([USER]) == loaded.text([USER])
    assert _why_endless.cache_info().misses == tried  # tried once, whatever the model is called


def test_an_endless_template_is_told_by_the_name_of_its_model() -> None:
    source = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    for name in ("one", "two"):
        tried = _why_endless.cache_info().misses
        with pytest.raises(ModelError, match=f"the chat template of {name} does not end within bounds"):
            ChatTemplate(source, {}, name)
    assert _why_endless.cache_info().misses == tried
