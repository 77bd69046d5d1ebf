"""DPO through TRL: the kept reply becomes likelier than the discarded one, from the first loss of ln 2."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trl import DPOTrainer

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.adapters.dialogues.rejected import pairs_file
from holdfast.adapters.training.lora import AdapterJob, TrainedAdapter, build_trainer, read_dialogues, train_adapter
from holdfast.adapters.training.settings import settings_for
from holdfast.adapters.training.store import CARD, AdapterStore, card_fields
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError
from holdfast.core.jsonl import write_lines
from tests.adapters.standins import training_dialogue

CONFIG = TrainingConfig(method="dpo", steps=30, batch_size=4, threads=1, learning_rate=2e-2)
SAID, KEPT, DISCARDED = "i feel anxious about the report .", "i am so sorry .", "first try the plan ."


def pair(said: str = SAID, person: str = "ana") -> PreferencePair:
    line = {role: ChatLine(role=role, content=text) for role, text in (("user", said), ("assistant", KEPT))}
    discarded = ChatLine(role="assistant", content=DISCARDED)
    return PreferencePair(
        prompt=(line["user"],), chosen=(line["assistant"],), rejected=(discarded,), persona=person, source="sorry 1"
    )


def job(folder: Path, base: Path, pairs: list[PreferencePair]) -> AdapterJob:
    path = folder / "warm.jsonl"
    write_lines([training_dialogue(index) for index in range(4)], path)
    write_lines(pairs, pairs_file(path))
    return AdapterJob("warm", base, "tiny", path, folder / "adapters" / "warm", 3)


@pytest.fixture(scope="module")
def given(base: Path, tmp_path_factory: pytest.TempPathFactory) -> AdapterJob:
    return job(tmp_path_factory.mktemp("dpo"), base, [pair(), pair("i am tired .")] * 4)


@pytest.fixture(scope="module")
def trained(given: AdapterJob) -> TrainedAdapter:
    return train_adapter(given, CONFIG)


def test_the_first_loss_is_ln_2_and_it_falls(trained: TrainedAdapter) -> None:
    assert trained.first_loss == pytest.approx(math.log(2), abs=1e-4)  # the adapter begins as the base, its reference
    assert trained.final_loss < 0.2
    assert trained.method == "dpo"


async def test_the_kept_reply_is_what_it_says(trained: TrainedAdapter, base: Path) -> None:
    AdapterStore(trained.path.parent).check("warm", base)
    model = LocalChatModel.load(base, adapters={"warm": trained.path}, dtype="float64")
    ask = GenerationRequest("k", (Message("user", SAID),), 0, "warm", Sampling(temperature=0, max_tokens=4))
    assert (await model.generate(ask)).text.startswith("i")


def test_a_pair_is_read_as_tokens_of_its_prompt_and_its_two_replies(given: AdapterJob) -> None:
    row = read_dialogues(given, CONFIG).rows[0]
    assert (len(row["prompt_ids"]), len(row["chosen_ids"]), len(row["rejected_ids"])) == (10, 6, 6)
    assert row["chosen_ids"][-1] == row["rejected_ids"][-1] == 2  # the end is learned


def test_likelihoods_part_as_the_loss_says(given: AdapterJob, tmp_path: Path) -> None:
    """The loss by hand from the model's own probabilities: -log sigmoid(beta * difference of log ratios)."""
    data = read_dialogues(given, CONFIG)
    trainer = build_trainer(given, settings_for(CONFIG, given.base), data, str(tmp_path))
    assert isinstance(trainer, DPOTrainer)
    trainer.train()
    row = data.rows[0]

    def likelihood(ids: list[int]) -> float:
        tokens = torch.tensor([row["prompt_ids"] + ids])
        with torch.no_grad():
            logs = trainer.model(input_ids=tokens).logits.log_softmax(-1)[0, len(row["prompt_ids"]) - 1 : -1]
        return float(logs.gather(1, torch.tensor(ids)[:, None]).sum())

    now = likelihood(row["chosen_ids"]) - likelihood(row["rejected_ids"])
    with trainer.model.disable_adapter():
        before = likelihood(row["chosen_ids"]) - likelihood(row["rejected_ids"])
    inputs = trainer.data_collator([row])
    trainer.model.eval()
    loss = float(trainer.compute_loss(trainer.model, inputs).detach())
    assert loss == pytest.approx(-math.log(1 / (1 + math.exp(-CONFIG.beta * (now - before)))), rel=1e-3)


def test_the_same_training_gives_the_same_bytes(trained: TrainedAdapter, given: AdapterJob, tmp_path: Path) -> None:
    again = train_adapter(replace(given, out=tmp_path / "warm"), CONFIG)
    assert again.sha256 == trained.sha256
    assert (again.path / CARD).read_bytes() == (trained.path / CARD).read_bytes()


def test_the_card_says_pairs(trained: TrainedAdapter) -> None:
    card = (trained.path / CARD).read_text()
    assert "| trained on | 8 pairs of a kept and a discarded reply, 48 tokens of kept replies |" in card
    assert "DPO's, beta 0.1 (ln 2 at first)" in card
    assert card_fields(trained.path)["method"] == "dpo"


def test_a_pair_that_is_too_long_is_left_out_and_counted(base: Path, tmp_path: Path) -> None:
    long = pair("i feel tired . " * 9)  # 39 tokens before the reply instead of 10
    given = job(tmp_path, base, [pair(), long])
    data = read_dialogues(given, CONFIG.model_copy(update={"max_length": 32}))
    assert (len(data.rows), data.trained_on.dialogues_left_out, data.trained_on.longest) == (1, 1, 45)
    with pytest.raises(InputError, match=r"every pair is longer than 32 tokens \(the longest has 45\)"):
        read_dialogues(job(tmp_path, base, [long]), CONFIG.model_copy(update={"max_length": 32}))
