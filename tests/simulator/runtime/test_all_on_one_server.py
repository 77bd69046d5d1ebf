"""Users, candidates and judge on one ``transformers serve``, and the same study with each of them in this process.

The study is the one that the endpoint page starts from. What is compared is not only what was said in the end: guards
refuse much of what so small a model says as a user or a judge, so every single request and its raw answer are.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from holdfast import Study
from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest
from holdfast.agents.raters.judge.counts import count_answers
from holdfast.agents.raters.judge.rater import JudgeRater
from holdfast.agents.raters.registry import open_raters, parse_rater
from holdfast.personas.loading import library
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study, write_study
from holdfast.simulator.export import export
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from holdfast.simulator.judging.lines import RatedLine
from holdfast.simulator.judging.run import collect, rate_files
from holdfast.simulator.records import TurnRecord
from holdfast.simulator.results.candidate_model import PlayedCounts
from holdfast.simulator.serving import link, served
from tests.agents.models.conftest import build_adapter
from tests.servers.transformers_serve import free_port, transformers_serve
from tests.simulator.lessons import lessons, teach

EXAMPLE = Path(__file__).parents[2] / "examples" / "endpoints" / "all_served.yaml"
PEOPLE, TURNS = ("jun_park", "samira_haddad"), 4
STEPS, MAX_TOKENS = 150, 96  # of the lessons; of a judgement
OWN_LINES = {False: 0.0, True: 0.5}  # least share of lines that are the user's own; taught or not

Call = tuple[tuple[tuple[str, str], ...], str, str, int, int]
"""A request's messages, its raw answer, why that ended, its tokens: prompt and completion."""


@dataclass
class Heard(BaseCallbackHandler):
    """Every call of a model that LangChain tells of."""

    calls: list[Call] = field(default_factory=list)
    asked: dict[UUID, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    run_inline: bool = True

    def on_chat_model_start(
        self, serialized: Mapping[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **_: Any
    ) -> None:
        self.asked[run_id] = tuple((message.type, str(message.text)) for message in messages[0])

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        message = response.generations[0][0].message  # type: ignore[union-attr]
        usage = message.usage_metadata
        ended = message.response_metadata["finish_reason"]
        self.calls.append(
            (self.asked.pop(run_id), message.text.strip(), ended, usage["input_tokens"], usage["output_tokens"])
        )

    def of(self, opening: str) -> Counter[Call]:
        """The calls whose system prompt begins so."""
        return Counter(call for call in self.calls if call[0][0][1].startswith(opening))


@dataclass(frozen=True)
class Overheard:
    """A judge's model, whose calls are written down."""

    model: ChatModel
    heard: Heard

    @property
    def id(self) -> str:
        return self.model.id

    async def generate(self, request: GenerationRequest) -> Generation:
        made = await self.model.generate(request)
        asked = tuple((message.role, message.content) for message in request.messages)
        self.heard.calls.append((asked, made.text, made.finish_reason, made.prompt_tokens, made.completion_tokens))
        return made


@dataclass(frozen=True)
class Held:
    """One study held, and judged. ``played``, ``tally``: what became of the users' answers, and of the judge's."""

    turns: dict[tuple[str, int], TurnRecord]
    played: PlayedCounts
    heard: Heard
    judged: list[RatedLine]
    tally: dict[str, Any]
    heard_of_judge: Heard


def hold(study: StudyConfig, judge: dict[str, Any], out: Path) -> Held:
    """Hold the study in ``out``, and let ``judge`` rate every reply of it."""
    heard, heard_of_judge = Heard(), Heard()
    results = Study(study).run(out, callbacks=[heard]).results
    talks = out / "talks.jsonl"
    export(out / JOURNAL, talks, "jsonl", "conversations")
    spec = parse_rater({"kind": "judge", "model": judge, "max_tokens": MAX_TOKENS, "name": "judge"})
    rater = open_raters([spec], base_path())["judge"]
    assert isinstance(rater, JudgeRater)
    rater = replace(rater, model=Overheard(rater.model, heard_of_judge))
    rated = collect([talks], whole=False)
    asyncio.run(rate_files(rated, {"judge": rater}, out / "judged.jsonl", lambda _: None))
    return Held(
        {(one.spec.id, turn.turn): turn for one in read_episodes(out / JOURNAL) for turn in one.turns},
        results.simulators["player"].model,
        heard,
        [RatedLine.model_validate_json(line) for line in (out / "judged.jsonl").read_text().splitlines()],
        count_answers(rated.ratings["judge"]).as_dict(),
        heard_of_judge,
    )


def example(place: Path, links: Path, port: int, adapters: Path, *, here: bool = False) -> StudyConfig:
    """The example's study with this machine's paths, for few people; ``here``: with the lines in its comments."""
    text = EXAMPLE.read_text(encoding="utf-8").replace("/srv/served", str(links)).replace(":8000/", f":{port}/")
    if here:
        text, lines = re.subn(r"model: # (model: .*)\n.*\n", r"\1\n", text)
        assert lines == 2
    place.write_text(text, encoding="utf-8")
    fewer = {"personas": {"ids": PEOPLE}, "turns": TURNS, "adapters": str(adapters)}
    return StudyConfig.model_validate(load_study(place).model_dump(mode="json") | fewer)


def teach_player(out: Path) -> None:
    """An adapter that speaks as the embedded users do; of the study's people it has met none."""
    model = LocalChatModel.load(base_path(), dtype="float32")
    people = [person for id, person in sorted(library().items()) if id not in PEOPLE]
    found = asyncio.run(lessons(people, model, TURNS))
    teach(found, base_path(), out, TrainingConfig(rank=16, alpha=32, learning_rate=4e-3, steps=STEPS))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("taught", [False, True], ids=["as it is", "taught to play"])
def test_every_answer_of_one_server_equals_that_of_this_process(taught: bool, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn and fastapi")
    run, links = tmp_path / "run", tmp_path / "served"
    for seed, name in enumerate(("companion", "coach")):
        build_adapter(base_path(), run / "adapters" / name, seed, targets=["q_proj", "v_proj"])
    if taught:
        teach_player(run / "adapters" / "player")
    write_study(StudyConfig.model_validate({"candidates": ["base"]}), run / "study.yaml")
    what = served(run, port=free_port())
    link(what, links)
    if not taught:
        (links / "player").symlink_to(links / "base")
    there_study = example(tmp_path / "there.yaml", links, what.port, run / "adapters")
    here_study = example(tmp_path / "here.yaml", links, what.port, run / "adapters", here=True)
    with transformers_serve(what, tmp_path / "home"):
        at_server = {"ref": f"openai:{links / 'player'}", "base_url": what.base_url, "timeout_s": 300}
        there = hold(there_study, at_server, tmp_path / "there")
    here = hold(here_study, {"ref": f"hf:{links / 'player'}", "dtype": "float64"}, tmp_path / "here")

    assert len(here.turns) == len(PEOPLE) * 4 * TURNS
    assert there.turns == here.turns  # words, feelings, the users' whole states, tokens
    assert len({turn.reply for (_, number), turn in here.turns.items() if number == 1}) > len(PEOPLE) * 2
    for part in ("You play", "You are the inner voice", ""):
        assert there.heard.of(part) == here.heard.of(part)
        assert len(here.heard.of(part)) > len(PEOPLE) * TURNS
    assert there.played == here.played
    assert here.played.messages == here.played.judgements == len(here.turns)
    assert here.played.own_messages >= OWN_LINES[taught]
    assert there.heard_of_judge.of("") == here.heard_of_judge.of("")
    assert there.tally == here.tally
    assert here.tally["asked"] == len(here.turns)
    assert [as_judged(line) for line in there.judged] == [as_judged(line) for line in here.judged]


def as_judged(line: RatedLine) -> dict[str, Any]:
    """A judge's line without what the judge was called by, and without the file that it read."""
    return line.model_dump(exclude={"file", "rater"})
