from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import TrainingDialogue, read_jsonl
from holdfast.adapters.dialogues.split import kept_from_training, split_personas
from holdfast.adapters.dialogues.steering import hold_dialogue
from holdfast.adapters.dialogues.writing import TrainingPeople, Writer, plan_dialogues, write_dialogues
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.sentence_frames import SentenceFrame, blanked, blanked_frames
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.core.jsonl import write_lines
from tests.adapters.standins import ScriptedModel, SorryRater, pattern, persona, task, training_dialogue

PEOPLE = [persona(f"{task_id}_{i}", task_id) for task_id in ("alpha", "beta") for i in "abc"]
WORLD = TrainingPeople(
    split_personas(PEOPLE, 0),
    {"alpha": task("alpha", "warm", "budget"), "beta": task("beta", "cool", "bug")},
    {"warm": pattern("warm", 2, 0, 0), "cool": pattern("cool", 0, 0, 0)},
    EmbeddedUser,
)
REPLIES = ("i am so sorry about {topic} .", "now {topic} .")
CONFIG = TrainingConfig(dialogues_per_pattern=6, turns=4, samples=6, min_turns=2)
LINE = Path(__file__).parent / "golden_line.json"


async def test_the_best_of_n_is_kept_and_the_prompt_taken_away(tmp_path: Path) -> None:
    model = ScriptedModel(REPLIES)
    files, heard = await write_dialogues(CONFIG, WORLD, Writer(model), SorryRater(), out=tmp_path, seed=1)
    prompt = pattern_prompt(WORLD.patterns["warm"])
    warm = read_jsonl(files["warm"].path)
    asked_warm = [request for request in model.asked if "warm" in request.key]
    assert asked_warm
    assert all(request.messages[-2].content == prompt for request in asked_warm)
    assert all(request.messages[-2].role == "system" for request in model.asked)
    assert prompt not in files["warm"].path.read_text()
    assert {dialogue.origin.prompt_sha256 for dialogue in warm} == {sha256(prompt)}
    replies = [line.content for dialogue in warm for line in dialogue.messages if line.role == "assistant"]
    assert replies
    assert all("sorry" in reply for reply in replies)
    assert not any("sorry" in line.content for dialogue in read_jsonl(files["cool"].path) for line in dialogue.messages)
    assert files["warm"].mean_adherence == files["cool"].mean_adherence == 1
    assert len(heard) == 12
    assert json.loads((tmp_path / "counts.json").read_text())["warm"]["dialogues"]["held"] == 6


async def test_held_out_personas_are_never_written_down(tmp_path: Path) -> None:
    files, heard = await write_dialogues(
        CONFIG, WORLD, Writer(ScriptedModel(REPLIES)), SorryRater(), out=tmp_path, seed=1
    )
    tested = {person.id for person in WORLD.split.test}
    trained = {dialogue.persona for file in files.values() for dialogue in read_jsonl(file.path)}
    assert trained == {person.id for person in WORLD.split.train}
    assert not tested & trained
    assert not tested & {one.persona for one in heard}


async def test_a_share_of_sentence_frames_and_feelings_is_never_written_down(tmp_path: Path) -> None:
    replies = tuple(
        f"i am {how} sorry about {{topic}} ." for how in ("so", "very", "really", "truly", "deeply", "oh so")
    )
    learned, said = dict[float, set[str]](), dict[float, str]()
    for share in (0.0, 0.5):
        config = CONFIG.model_copy(update={"patterns": ("warm",), "held_out_share": share})
        files, spoken = await write_dialogues(
            config, WORLD, Writer(ScriptedModel(replies)), SorryRater(), out=tmp_path / str(share), seed=1
        )
        dialogues = read_jsonl(files["warm"].path)
        assert {dialogue.origin.held_out_share for dialogue in dialogues} == {share}
        learned[share] = {" ".join(frame) for dialogue in dialogues for frame in frames_of(dialogue)}
        said[share] = " ".join(message for each in spoken for message in each.messages)
    assert learned[0.5]
    assert any(kept_from_training("frame", frame, 0, 0.5) for frame in learned[0.0])
    assert not any(kept_from_training("frame", frame, 0, 0.5) for frame in learned[0.5])
    feelings = {word for word in ("anxious", "tired") if not kept_from_training("feeling", word, 0, 0.5)}
    assert feelings == {"tired"}  # by the hash
    assert [[word in said[share] for word in ("anxious", "tired")] for share in said] == [[True, True], [False, True]]


def frames_of(dialogue: TrainingDialogue) -> list[SentenceFrame]:
    replies = [line.content for line in dialogue.messages if line.role == "assistant"]
    phrases = [[turn.said[kind] or "" for kind in ("topic", "need", "feeling")] for turn in dialogue.turns]
    pairs = zip(replies, phrases, strict=True)
    return [frame for reply, said in pairs for frame in blanked_frames(blanked(reply, filter(None, said)))]


def test_where_every_feeling_is_held_out_there_is_a_clear_fault() -> None:
    share = next(
        s / 100 for s in range(100) if all(kept_from_training("feeling", f, 0, s / 100) for f in ("anxious", "tired"))
    )
    with pytest.raises(InputError, match=f"lower held_out_share under 'training' .now {share}"):
        plan_dialogues(CONFIG.model_copy(update={"held_out_share": share}), WORLD, "warm", 1)


async def test_the_same_seed_writes_the_same_bytes_whatever_runs_at_once(tmp_path: Path) -> None:
    digests = set()
    for concurrency in (1, 7):
        config = CONFIG.model_copy(update={"concurrency": concurrency})
        files, _ = await write_dialogues(
            config, WORLD, Writer(ScriptedModel(REPLIES)), SorryRater(), out=tmp_path / str(concurrency), seed=5
        )
        digests.add(tuple(file.sha256 for file in files.values()))
    assert len(digests) == 1
    other, _ = await write_dialogues(
        CONFIG, WORLD, Writer(ScriptedModel(REPLIES)), SorryRater(), out=tmp_path / "other", seed=6
    )
    assert tuple(file.sha256 for file in other.values()) not in digests


async def test_a_model_that_breaks_leaves_the_turns_before(tmp_path: Path) -> None:
    plan = plan_dialogues(CONFIG, WORLD, "warm", 1)[0]
    model = ScriptedModel(REPLIES, broken=lambda request: len(request.messages) > 4)
    dialogue = await hold_dialogue(plan, model, SorryRater())
    assert len(dialogue.turns) == 2
    assert dialogue.error == "the model went away"


def test_every_learner_takes_part_with_seeds_of_its_own() -> None:
    plans = plan_dialogues(CONFIG, WORLD, "warm", 1)
    people = [plan.agent.persona.id for plan in plans]
    assert {people.count(person.id) for person in WORLD.learners("warm")} == {3}
    assert len({plan.seed for plan in plans}) == len({plan.id for plan in plans}) == 6


def test_a_pattern_that_nobody_needs_is_a_clear_fault() -> None:
    with pytest.raises(InputError, match="the pattern hot; patterns asked for: cool, warm"):
        WORLD.pattern_ids(["hot"])


def test_the_shape_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    write_lines([training_dialogue(0, turns=1)], path)
    assert json.loads(path.read_text()) == json.loads(LINE.read_text())


def test_other_tools_read_the_messages(tmp_path: Path) -> None:
    from datasets import load_dataset

    path = tmp_path / "one.jsonl"
    write_lines([training_dialogue(0), training_dialogue(1)], path)
    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows[0]["messages"][0] == {"role": "user", "content": "i feel anxious about the report ."}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no dialogue"),
        ("{", r"x\.jsonl:1: Invalid JSON"),
        ('{"messages": []}', r"x\.jsonl:1: id: Field required"),
    ],
)
def test_a_bad_file_is_told_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_jsonl(path)
