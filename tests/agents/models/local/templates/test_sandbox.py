"""The sandbox says what transformers says, and refuses what does not end, where it is first rendered or only later."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trl
from transformers.utils.chat_template_utils import render_jinja_template

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.templates.sandbox import BoundedEnvironment
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
REAL = sorted((Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))
GROWING = "{% set ns = namespace(x='aaaa') %}{% for i in range(60) %}{% set ns.x = GROWN %}{% endfor %}{{ ns.x }}"
ENDLESS = {
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}x",
    "a long range": "{% for i in range(10**9) %}{% endfor %}",
    "a condition that skips": "{% for i in range(99999) if range(99999) | sum < 0 %}{% endfor %}",
    "sums in a loop": "{% for i in range(99999) %}{{ range(99999) | sum }}{% endfor %}",
    "a search in a loop": "{% set l = range(99999) | list %}{% for i in l %}{{ -1 in l }}{% endfor %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a macro that calls itself twice": "{% macro f(n) %}{{ f(n - 1) ~ f(n - 1) if n }}{% endmacro %}{{ f(99) }}",
    "a long text": "{{ 'a' * 3000000000 }}",
    "a large number": "{{ (9 ** 9) ** (9 ** 9) }}",
    "a wide column": "{{ 'a'.ljust(3000000000) }}",
    "a wide format": "{{ '%3000000000d' % 1 }}",
    "a wide format by name": "{{ '{:{}}'.format(1, 3000000000) }}",
    "a wide filter": "{{ 'a' | center(3000000000) }}",
    "doubling": GROWING.replace("GROWN", "ns.x + ns.x"),
    "doubling by ~": GROWING.replace("GROWN", "ns.x ~ ns.x"),
    "replacing": GROWING.replace("GROWN", "ns.x.replace('a', ns.x)"),
    "joining": GROWING.replace("GROWN", "[ns.x, ns.x] | join"),
    "doubling by a block": GROWING.replace(
        "{% set ns.x = GROWN %}", "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}"
    ),
    "lists of lists": GROWING.replace("GROWN", "[ns.x, ns.x]"),
    "comparing lists of lists": "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
    "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
}  # fmt: skip


@pytest.mark.parametrize("file", REAL, ids=[file.stem for file in REAL])
def test_real_templates_say_what_transformers_makes_of_them(file: Path) -> None:
    user, reply, system = (
        {"role": role, "content": f" {role}s say this \n"} for role in ("user", "assistant", "system")
    )
    source, environment = file.read_text(encoding="utf-8"), BoundedEnvironment(date.today())
    template = environment.from_string(source)
    for messages in ([user], [system, user], [system, user, reply, user], [user, reply], [user, reply, system, user]):
        for prompted in (True, False):
            settings: dict[str, Any] = {**SPECIAL, "add_generation_prompt": prompted}
            expected = outcome(partial(render_jinja_template, [messages], chat_template=source, **settings))
            assert outcome(partial(rendered, template, environment, messages, settings)) == expected


def rendered(template: Any, environment: BoundedEnvironment, messages: Any, settings: Any) -> Any:
    environment.work.allow(messages)
    return [template.render(messages=messages, tools=None, documents=None, **settings)], []


def outcome(render: Callable[[], Any]) -> tuple[str, str]:
    """What is rendered, or what the template says instead."""
    try:
        return "text", render()[0][0]
    except Exception as error:
        return "error", str(error)


def test_there_are_real_templates() -> None:
    assert len(REAL) > 20


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_template_that_does_not_end_is_refused_when_it_is_opened(kind: str) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError, match="the chat template of m does not end within bounds"):
        ChatTemplate(ENDLESS[kind], {}, "m")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("kind", [kind for kind in ENDLESS if not kind.startswith("comparing")])
def test_one_that_goes_wild_in_a_late_turn_only_is_refused_there(kind: str) -> None:
    template = ChatTemplate("{% if messages | length > 60 %}" + ENDLESS[kind] + "{% endif %}fine", {}, "m")
    assert template.text([Message("user", "hello")]) == "fine"
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"does not end within bounds|refuses the messages: maximum recursion"):
        template.text([Message("user", "hello")] * 61)
    assert time.monotonic() - began < 20


def test_long_conversations_are_within_bounds() -> None:
    """A template may add every message to one text, and look through all messages at each."""
    source = (
        "{% set ns = namespace(x='') %}{% for m in messages %}{% set ns.x = ns.x ~ m.role + m.content %}"
        "{% for n in messages %}{% endfor %}{% endfor %}{{ ns.x | trim }}"
    )
    messages = [Message("user", "I feel awful about the report. " * 8), Message("assistant", "Sorry. " * 40)] * 300
    assert len(ChatTemplate(source, {}, "m").text(messages)) > 150_000


def test_nothing_is_drawn_at_random_and_no_file_is_read(tmp_path: Path) -> None:
    for source in ("{{ ['a', 'b'] | random }}", "{{ lipsum() }}"):
        with pytest.raises(ModelError, match="draws at random"):
            ChatTemplate(source, {}, "m").text([Message("user", "x")])
    secret = tmp_path / "secret"
    secret.write_text("x")
    escape = "{{ cycler.__init__.__globals__.os.system('touch " + str(tmp_path / "here") + "') }}"
    for source in ("{% include '" + str(secret) + "' %}", escape):
        with pytest.raises(ModelError, match="refuses the messages"):
            ChatTemplate(source, {}, "m").text([Message("user", "x")])
    assert list(tmp_path.iterdir()) == [secret]


@pytest.mark.parametrize("source", ["{% for", "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}"])
def test_what_is_no_template_is_refused(source: str) -> None:
    with pytest.raises(ModelError, match=r"is no Jinja template|does not end within bounds"):
        ChatTemplate(source, {}, "m")


def test_a_template_of_megabytes_is_refused() -> None:
    with pytest.raises(ModelError, match="has 2,000,000 characters, 1,000,000 at most"):
        ChatTemplate("x" * 2_000_000, {}, "m")
