"""What an adapter is trained on: the tokens of replies, as many as ``max_length`` leaves, and each cut is told."""

from __future__ import annotations

import json
import warnings
from datetime import date
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import ChatLine, TrainingDialogue
from holdfast.adapters.experts import TrainingBase, train_experts
from holdfast.adapters.micro import base_path
from holdfast.adapters.training.lora import AdapterJob, train_adapter
from holdfast.adapters.training.store import CARD
from holdfast.adapters.training.tokenised import NO_LOSS, TrainedOn, tokenise
from holdfast.core.errors import InputError, ModelError
from holdfast.core.jsonl import write_lines
from tests.adapters.standins import ScriptedModel, SorryRater, build_base, training_dialogue
from tests.adapters.test_experts import CONFIG, REPLIES, WORLD

# "<|user|> i feel anxious about the report . <|end|>" 9 tokens, "<|assistant|>", then "i am so sorry . <|end|>": 6
TALK = training_dialogue(0)  # replies are tokens 11-16, 27-32 and 40-47 of 47


def said(*texts: str) -> TrainingDialogue:
    lines = [ChatLine(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(texts)]
    return TALK.model_copy(update={"messages": tuple(lines)})


def long_start() -> TrainingDialogue:
    return said("i feel tired . " * 10, "i am so sorry .").model_copy(update={"persona": "late"})


@pytest.mark.parametrize(
    "texts", [("hi", "so sorry ."), ("", " "), ("naïve 😀", "tired 😀"), ("a", "b", "\n c\n", " d ")]
)
def test_tokens_and_marks_are_those_of_transformers(texts: tuple[str, ...]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base_path())
    dialogue = said(*texts)
    lines = [line.model_dump() for line in dialogue.messages]
    theirs = tokenizer.apply_chat_template(lines, return_dict=True, return_assistant_tokens_mask=True)
    (row,) = tokenise([dialogue], base_path(), 999, "x").rows
    assert row["input_ids"] == theirs["input_ids"]
    assert [int(label != NO_LOSS) for label in row["labels"]] == theirs["assistant_masks"]
    assert all(label in (NO_LOSS, token) for label, token in zip(row["labels"], row["input_ids"], strict=True))


def test_all_is_kept_where_it_fits(base: Path) -> None:
    data = tokenise([TALK, TALK], base, 47, "x")
    assert data.trained_on == TrainedOn(2, 6, 40, 47, 47, 0, 0, 0, 0)
    assert data.trained_on.lost == ""
    assert str(data.trained_on) == "2 dialogues, 6 replies, 40 tokens"


@pytest.mark.parametrize(
    ("limit", "counts"),
    [  # replies, tokens, replies left out, tokens left out, replies cut
        (11, (1, 1, 2, 19, 1)),
        (16, (1, 6, 2, 14, 0)),
        (26, (1, 6, 2, 14, 0)),
        (30, (2, 10, 1, 10, 1)),
        (46, (3, 19, 0, 1, 1)),
    ],
)
def test_each_cut_is_counted(limit: int, counts: tuple[int, ...], base: Path) -> None:
    data = tokenise([TALK], base, limit, "x")
    replies, tokens, replies_out, tokens_out, cut = counts
    assert data.trained_on == TrainedOn(1, replies, tokens, limit, 47, 0, replies_out, tokens_out, cut)
    (row,) = data.rows
    assert (len(row["input_ids"]), sum(label != NO_LOSS for label in row["labels"])) == (limit, tokens)


def test_a_dialogue_without_a_reply_left_is_left_out_and_counted(base: Path) -> None:
    data = tokenise([TALK, long_start()], base, 32, "x")
    assert data.dialogues == (TALK,)
    assert data.trained_on == TrainedOn(1, 2, 12, 32, 49, 1, 2, 14, 0)
    assert data.trained_on.lost == (
        "1 dialogue, 2 replies and 14 tokens of replies left out, 0 replies cut: 32 tokens of a dialogue are read, the "
        "longest has 49"
    )


def test_nothing_left_is_one_error_with_the_lengths(base: Path, tmp_path: Path) -> None:
    file = tmp_path / "warm.jsonl"
    write_lines([long_start()] * 3, file)
    job = AdapterJob("warm", base, "tiny", file, tmp_path / "out", 0)
    with pytest.raises(InputError) as caught:
        train_adapter(job, TrainingConfig(steps=1, threads=1, max_length=32))
    assert str(caught.value) == (
        f"{file}: every one of 3 dialogues is cut before its first reply, so nothing would be learned: the first 32 "
        "tokens are read, the earliest reply begins at token 44, the longest dialogue has 49. Write max_length: 49 or "
        "more under 'training' (now 32)"
    )
    assert not job.out.exists()
    tokenise([long_start()], base, 44, file)  # one token of a reply is something


def test_a_base_reads_no_further_than_its_context(tmp_path: Path) -> None:
    base = build_base(tmp_path / "short")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 30}))
    assert tokenise([TALK], base, 2048, "x").trained_on == TrainedOn(1, 2, 10, 30, 47, 0, 1, 10, 1)
    with pytest.raises(InputError, match=r"The base reads no more tokens: take one with a longer context"):
        tokenise([long_start()], base, 2048, "x")


def test_an_end_that_is_not_learned_is_told(tmp_path: Path) -> None:
    base = build_base(tmp_path / "endless")
    template = base / "chat_template.jinja"
    marked = "{{ message['content'] }}<|end|>{% endgeneration %}"
    assert marked in template.read_text()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenise([TALK], base, 99, "x")
    template.write_text(template.read_text().replace(marked, "{{ message['content'] }}{% endgeneration %}<|end|>"))
    with pytest.warns(UserWarning, match="the adapter may not learn to stop"):
        assert tokenise([TALK], base, 99, "x").trained_on.tokens == 17


def test_the_date_is_the_one_that_is_given(tmp_path: Path) -> None:
    base = build_base(tmp_path / "dated")
    template = base / "chat_template.jinja"
    template.write_text("{{ 'report ' * (strftime_now('%d') | int) }}" + template.read_text())
    for day in (3, 7):
        (row,) = tokenise([TALK], base, 99, "x", date(2026, 5, day)).rows
        assert len(row["input_ids"]) == 47 + day
        assert sum(label != NO_LOSS for label in row["labels"]) == 20


def test_a_template_that_marks_nothing_of_these_dialogues(tmp_path: Path) -> None:
    base = build_base(tmp_path / "other-role")
    template = base / "chat_template.jinja"
    template.write_text(template.read_text().replace("== 'assistant'", "== 'model'"))
    with pytest.raises(ModelError, match="its chat template marks no words of the assistant's"):
        tokenise([TALK], base, 99, "x")


async def test_cuts_are_told_at_the_start_on_the_card_and_in_the_record(base: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"patterns": ("warm",), "steps": 1, "max_length": 32})
    stages: list[str] = []
    with pytest.warns(UserWarning, match=r"warm\.jsonl: .* left out, .* cut: 32 tokens of a dialogue are read"):
        outcome = await train_experts(
            config,
            WORLD,
            TrainingBase(ScriptedModel(REPLIES), base, "tiny"),
            SorryRater(),
            out=tmp_path,
            seed=1,
            progress=lambda stage, *_: stages.append(stage),
        )
    trained_on = outcome.adapters["warm"].trained_on
    assert trained_on.lost
    assert f"training warm (1 of 1) on {trained_on}" in stages
    card = (tmp_path / "adapters" / "warm" / CARD).read_text(encoding="utf-8")
    assert f"| trained on | {trained_on}; tokens of replies |" in card
    assert f"| left out | {trained_on.lost} |" in card
    recorded = json.loads((tmp_path / "adapters" / "training.json").read_text())["adapters"]["warm"]["trained_on"]
    assert recorded == {name: getattr(trained_on, name) for name in TrainedOn.__dataclass_fields__}


async def test_a_late_pattern_without_replies_stops_before_the_first_is_trained(base: Path, tmp_path: Path) -> None:
    model = ScriptedModel(REPLIES)
    with pytest.raises(InputError, match="is cut before its first reply"):
        await train_experts(
            CONFIG.model_copy(update={"max_length": 1}),
            WORLD,
            TrainingBase(model, base, "tiny"),
            SorryRater(),
            out=tmp_path,
            seed=1,
        )
    assert not list((tmp_path / "adapters").glob("*/adapter_model.safetensors"))
