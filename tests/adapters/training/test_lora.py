from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import read_jsonl
from holdfast.adapters.training.lora import (
    AdapterJob,
    TrainedAdapter,
    build_trainer,
    read_dialogues,
    train_adapter,
)
from holdfast.adapters.training.settings import settings_for
from holdfast.adapters.training.store import AdapterStore, card_fields
from holdfast.adapters.training.tokenised import tokenise
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import file_sha256
from holdfast.core.jsonl import write_lines
from tests.adapters.standins import build_base, training_dialogue

CONFIG = TrainingConfig(steps=24, batch_size=4, threads=1, learning_rate=2e-2)
FILES = {"adapter_config.json", "adapter_model.safetensors", "README.md"}


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dialogues") / "warm.jsonl"
    write_lines([training_dialogue(index) for index in range(8)], path)
    return path


def job(base: Path, dialogues: Path, out: Path) -> AdapterJob:
    return AdapterJob("warm", base, "tiny", dialogues, out, 3)


@pytest.fixture(scope="module")
def trained(base: Path, dialogues: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedAdapter:
    return train_adapter(job(base, dialogues, tmp_path_factory.mktemp("adapters") / "warm"), CONFIG)


def test_the_loss_falls(trained: TrainedAdapter) -> None:
    assert trained.steps == CONFIG.steps
    assert trained.final_loss < 0.5 * trained.first_loss


def test_a_standard_peft_folder_that_names_no_machine(trained: TrainedAdapter, base: Path, dialogues: Path) -> None:
    assert {file.name for file in trained.path.iterdir()} == FILES
    config = json.loads((trained.path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["peft_type"]) == (8, 16, "LORA")
    assert config["base_model_name_or_path"] == "tiny"
    assert len(config["target_modules"]) == 2 * 7  # every linear layer of both blocks, not the output's
    assert len(load_file(trained.path / "adapter_model.safetensors")) == 2 * 2 * 7
    for file in ("adapter_config.json", "README.md"):
        text = (trained.path / file).read_text()
        assert str(base.parent) not in text
        assert str(dialogues.parent) not in text
    assert card_fields(trained.path)["dialogues_sha256"] == file_sha256(dialogues)
    assert "| personas trained on | ana |" in (trained.path / "README.md").read_text()


def test_the_same_training_gives_the_same_bytes(
    trained: TrainedAdapter, base: Path, dialogues: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps: list[tuple[int, int]] = []
    again = train_adapter(
        job(base, dialogues, tmp_path / "warm"), CONFIG, on_step=lambda done, total: steps.append((done, total))
    )
    for file in FILES:
        assert (again.path / file).read_bytes() == (trained.path / file).read_bytes()
    assert again.sha256 == trained.sha256
    assert steps == [(number, CONFIG.steps) for number in range(1, CONFIG.steps + 1)]
    assert capfd.readouterr().out == ""


def test_only_what_the_assistant_says_carries_loss(base: Path, dialogues: Path, tmp_path: Path) -> None:
    given = job(base, dialogues, tmp_path / "x")
    messages = [[line.model_dump() for line in dialogue.messages] for dialogue in read_jsonl(dialogues)]
    trainer = build_trainer(given, settings_for(CONFIG, base), read_dialogues(given, CONFIG), str(tmp_path))
    tokenizer = AutoTokenizer.from_pretrained(base)
    for row, lines in zip(trainer.train_dataset, messages, strict=True):
        learned = [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label != -100]
        replies = "".join(f"{line['content']}<|end|>" for line in lines if line["role"] == "assistant")
        assert learned == tokenizer(replies, add_special_tokens=False)["input_ids"]
        assert tokenizer.apply_chat_template(lines)["input_ids"] == row["input_ids"]


async def test_the_model_says_what_it_was_taught(trained: TrainedAdapter, base: Path) -> None:
    model = LocalChatModel.load(base, adapters={"warm": trained.path}, dtype="float64")
    request = GenerationRequest(
        "k", (Message("user", "i feel anxious about the report ."),), 0, "warm", Sampling(temperature=0, max_tokens=12)
    )
    assert (await model.generate(request)).text.split() == ["i", "am", "so", "sorry", "."]


def test_a_template_without_marks_is_learned_as_one_with_them(dialogues: Path, tmp_path: Path) -> None:
    base = build_base(tmp_path / "unmarked")
    template = base / "chat_template.jinja"
    marked = tokenise(read_jsonl(dialogues), base, 999, "x")
    marks = ("{% generation %}", "{% endgeneration %}")
    template.write_text(template.read_text().replace(marks[0], "").replace(marks[1], ""))
    assert tokenise(read_jsonl(dialogues), base, 999, "x").rows == marked.rows


def test_a_template_that_changes_replies_is_refused(dialogues: Path, tmp_path: Path) -> None:
    base = build_base(tmp_path / "shouting")
    (base / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content | upper }} {% endfor %}")
    with pytest.raises(ModelError, match="leaves out or changes what the assistant says"):
        train_adapter(job(base, dialogues, tmp_path / "warm"), CONFIG)


def test_no_model_is_told(dialogues: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        train_adapter(job(tmp_path, dialogues, tmp_path / "warm"), CONFIG)


def test_threads_are_given_back(trained: TrainedAdapter) -> None:
    before = torch.get_num_threads()
    assert AdapterStore(trained.path.parent).names() == ("warm",)
    assert torch.get_num_threads() == before
