"""The reward model: it learns what is preferred, its files are safetensors and repeatable, and it rates passages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.adapters.training.reward_model import RewardJob, TrainedReward, longer, right, train_reward
from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Passage
from holdfast.agents.raters.reward import HEAD, RewardModel, RewardRater
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import weights_sha256
from holdfast.simulator.cli.main import run_command
from tests.adapters.dialogues.test_preferences import pair
from tests.adapters.standins import build_base

SMALL = ["--dialogues", "2", "--steps", "80", "--threads", "1"]
CONFIG = RewardTraining(steps=20, batch_size=4, threads=1, learning_rate=1e-2)
SORRY = ("i am so sorry .", "i am sorry about that .", "so sorry .")
PLAN = ("first try the plan .", "find the bug first , then test .", "write the slides .")


def pairs(people: str) -> list[PreferencePair]:
    """Everyone prefers to hear sorry, in one wording or another; lengths do not tell."""
    return [pair(name, SORRY[(n + 1) % 3], PLAN[n % 3]) for name in people for n in range(3)]


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedReward:
    out = tmp_path_factory.mktemp("reward") / "sorry"
    return train_reward(RewardJob(base, "tiny", out, 3), CONFIG, pairs("abcd"))


def test_it_learns_what_is_preferred_and_the_first_loss_is_chance(trained: TrainedReward, base: Path) -> None:
    assert trained.first_loss == pytest.approx(np.log(2), abs=1e-5)  # the head begins at 0: no reply is preferred
    assert trained.final_loss < 0.2
    assert right(RewardModel.load(trained.path, base), pairs("xyz")) == [1.0] * 9


def test_a_peft_folder_with_its_head_and_no_machine_in_it(trained: TrainedReward, base: Path) -> None:
    from safetensors import safe_open

    assert {file.name for file in trained.path.iterdir()} >= {"adapter_model.safetensors", "reward.json"}
    with safe_open(trained.path / "adapter_model.safetensors", framework="numpy") as tensors:
        assert tensors.get_slice(HEAD).get_shape() == [1, 32]
    settings = json.loads((trained.path / "reward.json").read_text())
    assert settings["base_sha256"] == weights_sha256(base)
    assert settings["personas"] == list("abcd")
    for file in ("reward.json", "adapter_config.json", "README.md"):
        if (trained.path / file).exists():
            assert str(base.parent) not in (trained.path / file).read_text()


def test_the_same_training_gives_the_same_weights(trained: TrainedReward, base: Path, tmp_path: Path) -> None:
    again = train_reward(RewardJob(base, "tiny", tmp_path / "again", 3), CONFIG, pairs("abcd"))
    assert again.sha256 == trained.sha256


async def test_as_a_rater(trained: TrainedReward, base: Path) -> None:
    rater = RewardRater.load(trained.path, base)
    said = Message("user", "i feel tired about the budget .")
    kind, cold = Message("assistant", SORRY[0]), Message("assistant", PLAN[0])
    good, bad, whole, none = await rater.rate(
        [Passage((said, kind)), Passage((said, cold)), Passage((said, kind, said, cold), whole=True), Passage((said,))]
    )
    assert 0 <= bad.values["preferred"] < 0.5 < good.values["preferred"] <= 1  # .5 is an average reply
    assert bad.values["preferred"] < whole.values["preferred"] < good.values["preferred"]
    assert none.missing == "the passage holds no reply of the assistant"
    assert rater.identity.version == trained.sha256


def test_a_reward_does_not_depend_on_its_batch(trained: TrainedReward, base: Path) -> None:
    model = RewardModel.load(trained.path, base)
    dialogues = [[Message("user", "hi " * n), Message("assistant", SORRY[n % 3])] for n in range(1, 9)]
    alone = [float(model.rewards([one])[0]) for one in dialogues]
    assert model.rewards(dialogues, batch_size=8).tolist() == pytest.approx(alone, abs=2e-5)


def test_folders_that_are_none(trained: TrainedReward, base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no reward model lies there"):
        RewardRater.load(tmp_path, base)
    other = build_base(tmp_path / "other", hidden=64)
    with pytest.raises(ModelError, match="cannot be put on the model"):
        RewardRater.load(trained.path, other)
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    (copy / "reward.json").write_text("{}")
    with pytest.raises(ModelError, match="train again"):
        RewardRater.load(copy, base)
    (copy / "adapter_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        RewardRater.load(copy, base)


def test_the_command_rates_with_it_and_refuses_another_base(
    trained: TrainedReward, base: Path, other_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = build_base(tmp_path / "twin", seed=9)  # fits, but has other weights
    chats, said = tmp_path / "chats.jsonl", {"role": "user", "content": "i feel tired ."}
    lines = [{"messages": [said, {"role": "assistant", "content": text}]} for text in (SORRY[0], PLAN[0])]
    chats.write_text("\n".join(map(json.dumps, lines)))
    command = ["judge", str(chats), "--model", f"reward:{trained.path}", "--out", str(tmp_path / "scores.jsonl")]
    assert run_command([*command, "--base", f"hf:{base}"]) == 0
    kind, cold = (json.loads(line)["scores"]["preferred"] for line in (tmp_path / "scores.jsonl").open())
    assert cold < 0.5 < kind
    for wrong, message in ((twin, "trained on other weights"), (other_base, "cannot be put on the model")):
        capsys.readouterr()
        assert run_command([*command, "--base", f"hf:{wrong}"]) in {1, 2}
        assert message in capsys.readouterr().err


def test_what_comes_from_elsewhere_is_opened_as_every_model_is(
    trained: TrainedReward, base: Path, tmp_path: Path
) -> None:
    endless = shutil.copytree(base, tmp_path / "endless")
    (endless / "chat_template.jinja").write_text(
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    )
    with pytest.raises(ModelError, match="the chat template of endless does not end within bounds"):
        RewardModel.load(trained.path, endless)
    pickled = shutil.copytree(base, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "other.safetensors")
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="cannot load the model in"):
        RewardModel.load(trained.path, pickled)
    newer = shutil.copytree(trained.path, tmp_path / "newer")
    settings = json.loads((newer / "adapter_config.json").read_text())
    (newer / "adapter_config.json").write_text(json.dumps(settings | {"use_newest": True}))
    with pytest.raises(ModelError, match=r"options that are not known here: use_newest \(true\)"):
        RewardModel.load(newer, base)


def test_a_head_that_is_no_number_or_none(trained: TrainedReward, base: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = shutil.copytree(trained.path, tmp_path / "copy")
    file = copy / "adapter_model.safetensors"
    weights = load_file(file)
    save_file(weights | {HEAD: np.full_like(weights[HEAD], np.nan)}, file)
    with pytest.raises(ModelError, match=r"score\.weight holds a NaN or an infinite number"):
        RewardModel.load(copy, base)
    save_file(weights | {HEAD: weights[HEAD].astype(np.int64)}, file)
    with pytest.raises(ModelError, match=r"score\.weight is of type I64"):
        RewardModel.load(copy, base)
    save_file({name: weight for name, weight in weights.items() if name != HEAD}, file)
    with pytest.raises(ModelError, match="holds an adapter but no reward head"):
        RewardModel.load(copy, base)


def test_someone_elses_folder_is_not_replaced(base: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"holds thesis\.tex, which"):
        train_reward(RewardJob(base, "tiny", tmp_path, 3), CONFIG.model_copy(update={"steps": 1}), pairs("ab"))
    assert (tmp_path / "thesis.tex").exists()


def test_pairs_that_are_too_long(base: Path, tmp_path: Path) -> None:
    long = [pair("a", "sorry " * 60, "plan " * 60)]
    config = CONFIG.model_copy(update={"max_length": 32, "steps": 1})
    longest = r"every pair is longer than max_length \(32 tokens\): the shortest has 71, the longest 71; raise it to 71"
    with pytest.raises(InputError, match=longest):
        train_reward(RewardJob(base, "tiny", tmp_path / "x", 3), config, long)
    said = r"x: 1 of 5 pairs left out, longer than 32 tokens; the longest has 71"
    with pytest.warns(UserWarning, match=said):
        trained = train_reward(RewardJob(base, "tiny", tmp_path / "x", 3), config, [*long, *pairs("bcd")[:4]])
    assert (trained.pairs, trained.left_out) == (4, 1)
    card = (tmp_path / "x" / "README.md").read_text()
    assert "| left out | 1 of 5 pairs left out" in card
    assert "| people trained on | b, c |" in card
    assert json.loads((tmp_path / "x" / "reward.json").read_text())["pairs_left_out"] == 1


def test_the_rival_prefers_the_longer_reply() -> None:
    assert longer([pair("a", "one two", "one"), pair("a", "one", "one two"), pair("a", "one", "two")]) == [1, 0, 0.5]


@pytest.mark.slow
def test_on_the_embedded_model_it_beats_chance_with_people_whom_it_never_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["rater", "reward", "--out", str(tmp_path / "reward"), *SMALL, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    learned = {json.loads(line)["persona"] for line in (tmp_path / "reward" / "pairs.jsonl").read_text().splitlines()}
    assert set(outcome["personas"]["held_out"]) < learned  # the file holds both sides
    assert outcome["personas"]["trained_on"] == len(learned) - len(outcome["personas"]["held_out"])
    assert outcome["accuracy"]["reward"]["lo"] > 0.5
    assert outcome["accuracy"]["reward"]["mean"] > outcome["accuracy"]["longer_reply"]["mean"]
