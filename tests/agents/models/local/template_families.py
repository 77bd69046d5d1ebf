"""Chat templates in the manner of six families of models, written for the tests, and tiny models that have them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken

from tests.agents.models.conftest import CONFIGS, build_model, build_tokenizer

ALTERNATE = (
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
)
SPLIT = (
    "{% set system = messages[0].content if messages[0].role == 'system' else '' %}"
    "{% set talk = messages[1:] if system else messages %}"
)


@dataclass(frozen=True)
class Family:
    """``tokens``: those that the template writes; ``end``: the one that ends a reply."""

    template: str
    tokens: tuple[str, ...]
    end: str


FAMILIES = {
    "gemma-2": Family(
        "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role here') }}{% endif %}"
        "{% for m in messages %}" + ALTERNATE + "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
        "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        ("<start_of_turn>", "<end_of_turn>"),
        "<end_of_turn>",
    ),
    "mistral": Family(
        SPLIT + "{{ bos_token }}{% for m in talk %}" + ALTERNATE + "{% if m.role == 'user' %}[INST] "
        "{% if system and loop.last %}{{ system + '\n\n' }}{% endif %}{{ m.content }} [/INST]"
        "{% else %} {{ m.content | trim }}{{ eos_token }}{% endif %}{% endfor %}",
        ("[INST]", "[/INST]"),
        "</s>",
    ),
    "llama-3": Family(
        SPLIT + "{{ bos_token }}<|start_header_id|>system<|end_header_id|>\n\nKnowledge ends: December 2023\n"
        "Today is: {{ strftime_now('%d %b %Y') }}\n\n{{ system | trim }}<|eot_id|>"
        "{% for m in talk %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>"
        "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|eot_id|>",
    ),
    "phi-3": Family(
        "{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{{ m.content }}<|end|>\n<|assistant|>\n"
        "{% elif m.role == 'assistant' %}{{ m.content }}<|end|>\n{% endif %}{% endfor %}",
        ("<|user|>", "<|assistant|>", "<|end|>"),
        "<|end|>",
    ),
    "qwen-3": Family(
        "{% set last = namespace(query=0) %}{% for m in messages if m.role == 'user' %}"
        "{% set last.query = messages.index(m) %}{% endfor %}"
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' %}{% set said = m.content.split('</think>')[-1].lstrip('\n') %}"
        "{% if loop.index0 > last.query %}<think>\n\n</think>\n\n{% endif %}{{ said }}"
        "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
        ("<|im_start|>", "<|im_end|>", "<think>", "</think>"),
        "<|im_end|>",
    ),
    "gpt-oss": Family(
        SPLIT + "<|start|>system<|message|>You are a language model of a test.\nCurrent date: "
        "{{ strftime_now('%Y-%m-%d') }}\n\nReasoning: {{ reasoning_effort | default('medium') }}<|end|>"
        "{% if system %}<|start|>developer<|message|># Instructions\n\n{{ system }}<|end|>{% endif %}"
        "{% for m in talk %}{% if m.role == 'assistant' %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}"
        "{{ '<|return|>' if loop.last and not add_generation_prompt else '<|end|>' }}"
        "{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant{% endif %}",
        ("<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|return|>"),
        "<|return|>",
    ),
}


def build_family(name: str, folder: Path) -> Path:
    """Save a tiny model with random weights that has the template and the tokens of a family."""
    family = FAMILIES[name]
    build_model(CONFIGS["llama"], folder)
    tokenizer = build_tokenizer(80)
    tokenizer.add_tokens([AddedToken(token, special=True) for token in family.tokens], special_tokens=True)
    tokenizer.chat_template = family.template
    tokenizer.save_pretrained(folder)
    return folder
