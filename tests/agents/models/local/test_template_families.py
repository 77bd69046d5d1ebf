"""What templates of six families make of a conversation, worked out by hand: prompts, ends, what is learned, facts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.training.tokenised import NO_LOSS, tokenise
from holdfast.agents.models.local.chat_template import ChatTemplate, LostMessageError
from holdfast.agents.models.local.end_of_turn import end_of_turn
from holdfast.agents.models.local.template_facts import TemplateFacts, facts_of
from holdfast.agents.models.local.template_files import template_in
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError
from tests.adapters.standins import training_dialogue
from tests.agents.models.local.template_families import FAMILIES, build_family

SYSTEM, ASKED = Message("system", "Be kind."), Message("user", "Q1")
TALK = (ASKED, Message("assistant", "One."), Message("user", "Q2"), Message("assistant", "Two."))
DAY = date(2025, 1, 1)

GPT_OSS = (
    "<|start|>system<|message|>You are a language model of a test.\nCurrent date: 2025-01-01\n\n"
    "Reasoning: medium<|end|>"
)
LLAMA_3 = (
    "<s><|start_header_id|>system<|end_header_id|>\n\nKnowledge ends: December 2023\nToday is: 01 Jan 2025\n\n"
    "{}<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nQ1<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
)
# the prompt for an answer to Q1 under a system message; what is missing is refused or lost
PROMPTS = {
    "mistral": "<s>[INST] Be kind.\n\nQ1 [/INST]",
    "llama-3": LLAMA_3.format("Be kind."),
    "qwen-3": "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nQ1<|im_end|>\n<|im_start|>assistant\n",
    "gpt-oss": GPT_OSS + "<|start|>developer<|message|># Instructions\n\nBe kind.<|end|>"
    "<|start|>user<|message|>Q1<|end|><|start|>assistant",
}
FOLDED = {
    "gemma-2": "<s><start_of_turn>user\nBe kind.\n\nQ1<end_of_turn>\n<start_of_turn>model\n",
    "mistral": "<s>[INST] Be kind.\n\nQ1 [/INST]",
    "llama-3": LLAMA_3.format("").replace("Q1", "Be kind.\n\nQ1"),
    "phi-3": "<|user|>\nBe kind.\n\nQ1<|end|>\n<|assistant|>\n",
    "qwen-3": "<|im_start|>user\nBe kind.\n\nQ1<|im_end|>\n<|im_start|>assistant\n",
    "gpt-oss": GPT_OSS + "<|start|>user<|message|>Be kind.\n\nQ1<|end|><|start|>assistant",
}
# what the assistant has to write after the prompts for One. and Two.
LEARNED = {
    "gemma-2": ("One.<end_of_turn>", "Two.<end_of_turn>"),
    "mistral": (" One.</s>", " Two.</s>"),
    "llama-3": ("One.<|eot_id|>", "Two.<|eot_id|>"),
    "phi-3": ("One.<|end|>", "Two.<|end|>"),
    "qwen-3": ("One.<|im_end|>", "Two.<|im_end|>"),
    "gpt-oss": ("<|channel|>final<|message|>One.", "<|channel|>final<|message|>Two.<|return|>"),
}
FACTS = {
    "gemma-2": TemplateFacts(ends_with="<end_of_turn>"),
    "mistral": TemplateFacts(ends_with="</s>"),
    "llama-3": TemplateFacts("2025-01-01", "Knowledge ends: December 2023 Today is: 01 Jan 2025", True, "<|eot_id|>"),
    "phi-3": TemplateFacts(ends_with="<|end|>"),
    "qwen-3": TemplateFacts(ends_with="<|im_end|>"),
    "gpt-oss": TemplateFacts(
        "2025-01-01",
        "You are a language model of a test. Current date: 2025-01-01 Reasoning: medium",
        True,
        "<|return|>",
    ),
}


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: build_family(name, root / name) for name in FAMILIES}


def template(folder: Path, *, fold: bool = False) -> ChatTemplate:
    read = template_in(folder, "m", DAY, fold=fold)
    assert read is not None
    return read


def test_a_system_message_arrives_or_is_missed(families: dict[str, Path]) -> None:
    for name, prompt in PROMPTS.items():
        assert template(families[name]).prompt([SYSTEM, ASKED]) == prompt
    with pytest.raises(ModelError, match="no system role here"):
        template(families["gemma-2"]).prompt([SYSTEM, ASKED])
    with pytest.raises(LostMessageError, match=r"drops the system message “Be kind\.”"):
        template(families["phi-3"]).prompt([SYSTEM, ASKED])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_folded_one_arrives_with_the_users(name: str, families: dict[str, Path]) -> None:
    assert template(families[name], fold=True).prompt([SYSTEM, ASKED]) == FOLDED[name]
    assert template(families[name], fold=True).prompt([ASKED]) == template(families[name]).prompt([ASKED])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_late_system_message_is_folded_where_it_stands(name: str, families: dict[str, Path]) -> None:
    later = template(families[name], fold=True).prompt([*TALK, SYSTEM, Message("user", "Q3")])
    assert "Be kind.\n\nQ3" in later
    assert later.startswith(template(families[name]).prompt([ASKED]))


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_learned_is_what_follows_the_prompt(name: str, families: dict[str, Path]) -> None:
    read = template(families[name])
    text, spans = read.with_spans(TALK, FAMILIES[name].end)
    assert tuple(text[start:end] for start, end in spans) == LEARNED[name]
    for (start, _), asked in zip(spans, (TALK[:1], TALK[:3]), strict=True):
        assert text[:start] == read.prompt(asked)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_reply_ends_with_the_token_that_is_learned(name: str, families: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(families[name])
    end = end_of_turn(template(families[name]), tokenizer)
    assert end.ids == {tokenizer.convert_tokens_to_ids(FAMILIES[name].end)}
    lines = tuple(ChatLine(role=m.role, content="w1 w2") for m in TALK)  # type: ignore[arg-type]
    dialogue = training_dialogue(0).model_copy(update={"messages": lines})
    (row,) = tokenise([dialogue], families[name], 999, "x").rows
    learned = [token for token in row["labels"] if token != NO_LOSS]
    assert learned[-1] in end.ids
    assert row["labels"][: row["labels"].index(learned[0])] == [NO_LOSS] * row["labels"].index(learned[0])


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_template_does_by_itself_is_known(name: str, families: dict[str, Path]) -> None:
    assert facts_of(template(families[name])) == FACTS[name]
    assert facts_of(template(families[name], fold=True)).in_words()["system messages"].startswith("folded into")


def test_facts_of_templates_that_do_more() -> None:
    default = "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful model.<|im_end|>{% endif %}"
    rest = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}<|im_start|>assistant\n"
    )
    known = facts_of(ChatTemplate(default + rest, {}, "m"))
    assert (known.own_prompt, known.beside_ours) == ("You are a helpful model.", False)
    assert "system prompt that the template adds unless there is one of ours" in known.in_words()
    forgetful = "{% for m in messages %}({{ loop.length }}){{ m.content }}{% endfor %}"
    assert facts_of(ChatTemplate(forgetful, {}, "m")).learns_otherwise
    endless = "{% for m in messages %}{{ m.content }} {% endfor %}"
    assert facts_of(ChatTemplate(endless, {}, "m")).in_words()["a reply ends with"].startswith("nothing")


def test_a_template_that_changes_replies_cannot_be_learned_from() -> None:
    shouting = ChatTemplate("{% for m in messages %}{{ m.content | upper }};{% endfor %}", {}, "m")
    with pytest.raises(ModelError, match="leaves out or changes what the assistant says"):
        shouting.with_spans(TALK)
