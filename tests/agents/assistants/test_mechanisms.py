"""What makes each wrapped candidate better is what it is said to be: without it, the same study comes out otherwise.

Whole studies with the embedded users over a real socket, whose server follows what it is shown, as a good model would.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from holdfast import Study
from holdfast.adapters.training.reward_model import RewardJob, train_reward
from holdfast.agents.assistants import exchange_store
from holdfast.agents.naming import names
from holdfast.agents.prompts import read_prompt
from holdfast.personas.loading import library
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from holdfast.simulator.records import TurnRecord
from tests.adapters.standins import build_base
from tests.adapters.training.test_reward_model import CONFIG, PLAN, SORRY, pairs
from tests.servers.answers import Body, digest
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running

PEOPLE, TURNS = ("jun_park", "samira_haddad"), 6
WARM = "I am so sorry, it makes sense that {topic} hurts. How do you feel now?"
COLD = "Write down the three steps for {topic}."
LEVELS = {WARM: (2, 1, 1), COLD: (0, 0, 0)}


def hold(folder: Path, server: ScriptedServer, candidate: dict[str, Any], **more: Any) -> list[TurnRecord]:
    """Hold the study of one candidate; return its turns, in order."""
    model = {"ref": "openai:m", "base_url": server.base_url}
    fields = {"model": model, "personas": {"ids": PEOPLE}, "turns": TURNS, "candidates": [candidate], "seed": 3}
    fields["users"] = {"kind": "embedded", "voice": "grammar"}  # each message names its topic by its word
    done = Study.of(**fields | more).run(folder)
    assert done.results.failures == {}
    return [turn for episode in read_episodes(folder / JOURNAL) for turn in episode.turns]


def warmth(turns: list[TurnRecord]) -> float:
    return mean(turn.primary.values["emotional_reaction"] for turn in turns)


# --- exemplars -----------------------------------------------------------------------------------------------------


def imitate(body: Body) -> str:
    """Say what the last example in the system message says."""
    return str(body["messages"][0]["content"]).rsplit("The reply: ", 1)[-1]


def write_store(path: Path) -> Path:
    """Exchanges on every topic of the people who talk, told by others: a warm and a cold reply to each."""
    topics = sorted({topic for person in PEOPLE for topic in library()[person].topics})
    lines = [
        {
            "situation": f"I keep thinking about {topic}.",
            "reply": reply.format(topic=topic),
            "levels": dict(zip(("emotional_reaction", "interpretation", "exploration"), levels, strict=True)),
            "persona": "somebody_else",
        }
        for topic in topics
        for reply, levels in LEVELS.items()
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def on_topic(turns: list[TurnRecord]) -> float:
    """The share of turns with a topic whose reply names it."""
    about = [turn for turn in turns if turn.said.topic]
    return mean(names(turn.said.topic or "", turn.reply) for turn in about)


def test_exemplars_without_retrieval_miss_situation_and_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = {"kind": "exemplars", "show": "system", "k": 1, "file": str(write_store(tmp_path / "store.jsonl"))}
    with running(ScriptedServer(answer=imitate)) as server:
        warm = hold(tmp_path / "warm", server, candidate | {"pattern": "companion"})
        cold = hold(tmp_path / "cold", server, candidate | {"pattern": "solver"})
        rng = random.Random(0)
        monkeypatch.setattr(
            exchange_store.ExchangeStore, "retrieve", lambda store, said, target, k: rng.sample(store.exchanges, k)
        )
        cut = hold(tmp_path / "cut", server, candidate | {"pattern": "companion"})
    assert len(warm) == len(cut) == len(PEOPLE) * TURNS
    assert warmth(warm) - warmth(cut) > 0.2
    assert warmth(warm) - warmth(cold) > 0.6
    assert on_topic(warm) > 0.9
    assert on_topic(cold) > 0.9
    assert on_topic(cut) < 0.5


def test_exemplars_are_paid_for(tmp_path: Path) -> None:
    store = write_store(tmp_path / "store.jsonl")
    with running(ScriptedServer()) as server:
        bare = hold(tmp_path / "bare", server, {"kind": "base"}, turns=1)
        two = hold(tmp_path / "two", server, {"kind": "exemplars", "k": 2, "file": str(store)}, turns=1)
    for before, after in zip(bare, two, strict=True):
        assert before.user == after.user
        assert after.tokens[0] - before.tokens[0] >= 2 * 12  # a token is a word there


# --- reflect -------------------------------------------------------------------------------------------------------

PAUSE = read_prompt("reflect/pause")


def think(body: Body) -> str:
    """Reply coldly, and warmly once a thought on what the person feels stands in the conversation."""
    said = [str(message["content"]) for message in body["messages"]]
    if said[-1] == PAUSE:
        first = said.count(PAUSE) == 1
        return "They carry a heavy feeling, and I gave them steps. REWRITE" if first else "Better. GO ON"
    thought = any("They carry a heavy feeling" in text for text in said)
    return (WARM if thought else COLD).format(topic=f"it ({len(said)})")


def test_reflect_without_reflections_stays_cold(tmp_path: Path) -> None:
    with running(ScriptedServer(answer=think)) as server:
        thought = hold(tmp_path / "thought", server, {"kind": "reflect"})
        cut = hold(tmp_path / "cut", server, {"kind": "reflect", "chunks": 1})
    assert warmth(thought) - warmth(cut) > 0.6
    assert all("They carry a heavy feeling" in turn.thoughts for turn in thought)
    assert not any(turn.thoughts for turn in cut)
    assert not any("They carry" in turn.reply or "They carry" in turn.user for turn in thought)


# --- best_of -------------------------------------------------------------------------------------------------------


def test_a_reward_model_chooses(tmp_path: Path) -> None:
    """One that learned to prefer "sorry" finds it among four draws more often than one draw says it."""
    base = build_base(tmp_path / "base")
    lines = (*SORRY, *PLAN)
    reward = train_reward(RewardJob(base, "tiny", tmp_path / "reward", 3), CONFIG, pairs("abcd"))
    rater = {"kind": "reward", "folder": str(reward.path), "base": f"hf:{base}"}
    candidate = {"kind": "best_of", "pattern": "companion", "rater": rater}
    short = {"turns": 2, "replicates": TURNS // 2}  # a third "so sorry" in a row would be a copy
    with running(ScriptedServer(answer=lambda body: lines[digest(body)[0] % len(lines)])) as server:
        best, cut = (hold(tmp_path / str(n), server, candidate | {"n": n}, **short) for n in (4, 1))
    said = [mean("sorry" in turn.reply for turn in turns) for turns in (best, cut)]
    assert said[0] > 0.85
    assert said[1] < 0.75
    assert all(turn.calls == 4 for turn in best)
    inputs = json.loads((tmp_path / "4" / "run.json").read_text())["provenance"]["inputs"]
    assert inputs["choosing rater reward"] == reward.sha256[:12]
    assert "choosing rater reward: adapter_config.json" in inputs  # a retrained one, or another base, is another run


def test_best_of_one_adheres_less_by_another_rater(tmp_path: Path) -> None:
    with running(ScriptedServer()) as server:
        best = hold(tmp_path / "best", server, {"kind": "best_of", "n": 6, "pattern": "companion"})
        cut = hold(tmp_path / "cut", server, {"kind": "best_of", "n": 1, "pattern": "companion"})
    assert warmth(best) - warmth(cut) > 0.4
