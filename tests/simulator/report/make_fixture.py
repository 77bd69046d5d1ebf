"""Draw a synthetic study: personas, episodes, and what is measured of them. Run it to look at the page.

python tests/launch.py tests.simulator.report.make_fixture OUT.html
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Intention
from holdfast.personas.schema import MECHANISMS, EmpathyPattern, Goal, MechanismLevels, Persona, TaskContext
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord
from holdfast.simulator.results.build import build_results
from holdfast.simulator.results.model import Results
from tests.simulator.measure.making import PRIMARY, WITNESS, specs

TASKS = {
    "bug_hunt": ("Hunting a bug", "solver"),
    "data_question": ("A question about data", "solver"),
    "plan_project": ("Planning a project", "coach"),
    "job_interview": ("Preparing a job interview", "coach"),
    "draft_feedback": ("Feedback on a draft", "mentor"),
    "learn_skill": ("Learning a skill", "mentor"),
    "team_conflict": ("A conflict in the team", "companion"),
    "burnout": ("Feeling burnt out", "companion"),
}
PATTERNS = {"solver": ((0, 0, 0), 2), "coach": ((1, 0, 2), 1), "mentor": ((1, 2, 0), 1), "companion": ((2, 1, 1), 0)}
CANDIDATES = {  # adherence at first, its floor, turns until it falls
    "base": (0.58, 0.56, 8.0),
    "system_prompt": (0.93, 0.60, 9.0),
    "system_prompt_with_reminder": (0.92, 0.74, 10.0),
    "adapter": (0.94, 0.92, 40.0),
    "routed": (0.96, 0.955, 60.0),
    "oracle": (0.97, 0.965, 60.0),
}
NAMES = ("Mara Lind", "Tom Okafor", "Ines Duarte", "Yuki Sato", "Ravi Menon", "Lena Fuchs", "Omar Haddad", "Zoe Martin")
FEELINGS = ("anxious", "stuck", "proud", "exhausted", "torn")
TOPICS = ("the budget report", "the slide deck", "the login page", "the survey", "the release plan")


def make_personas(per_task: int = 3) -> dict[str, Persona]:
    people = {}
    for t, task in enumerate(TASKS):
        for k in range(per_task):
            name = NAMES[(t * per_task + k) % len(NAMES)]
            people[f"{task}_{k}"] = Persona(
                id=f"{task}_{k}",
                name=f"{name.split()[0]} {'ABC'[k % 3]}.",
                task=task,
                background=f"{name} has worked in a small company for {2 + k} years and likes to see a plan first.",
                speech="plain",
                goals=(Goal(id="first", need="sort the slides", topic="the slide deck"),),
                feelings=FEELINGS,
                topics=TOPICS,
                desired_empathy=(1, 1, 2, 2, 2, 2, 3, 3)[t],
            )
    return people


def make_episodes(
    personas: dict[str, Persona], turns: int = 24, seeds: int = 2, candidates: Sequence[str] = tuple(CANDIDATES)
) -> list[EpisodeRecord]:
    return [
        _episode(EpisodeSpec(persona.id, persona.task, name, seed, turns))
        for name in candidates
        for persona in personas.values()
        for seed in range(1, seeds + 1)
    ]


def _level(name: str, turn: int) -> float:
    high, floor, tau = CANDIDATES[name]
    return floor + (high - floor) * math.exp(-((turn / tau) ** 2))


def _episode(spec: EpisodeSpec) -> EpisodeRecord:
    rng = np.random.default_rng([spec.replicate, len(spec.persona), *spec.id.encode()])
    ends = spec.max_turns if rng.random() < 0.85 else int(rng.integers(max(1, spec.max_turns // 2), spec.max_turns + 1))
    return EpisodeRecord(spec, tuple(_turn(spec, t, rng, t == ends) for t in range(1, ends + 1)))


def _turn(spec: EpisodeSpec, turn: int, rng: np.random.Generator, last: bool) -> TurnRecord:
    target = np.array(PATTERNS[TASKS[spec.task][1]][0], dtype=float)
    near = _level(spec.candidate, turn)
    off = np.clip(2 * (1 - near) + rng.normal(0, 0.12, 3), 0, 2)
    shown = np.clip(np.where(target > 0.9, target - off, target + off), 0, 2)
    feeling, topic = FEELINGS[int(rng.integers(5))], TOPICS[int(rng.integers(5))]
    felt = {d: float(np.clip(1 + 4 * near + rng.normal(0, 0.5), 1, 5)) for d in SENSE7}
    routed = spec.candidate in ("routed", "oracle")
    return TurnRecord(
        episode_id=spec.id,
        turn=turn,
        user=f"I am {feeling} about {topic}. It has been going on since Monday, and I do not know where to start.",
        said=Intention("ask", feeling=feeling, topic=topic, need="sort the slides", goal="first"),
        reply=f"It makes sense to feel {feeling} when {topic} has been open since Monday. "
        f"{'What part of it weighs on you most?' if near > 0.8 else 'Split it into three steps and do the first one.'}",
        ratings={"linear": expressed(*(float(x) for x in shown)), "judge": _judged(shown, turn)},
        felt=felt,
        emotion=float(np.clip(60 * near + rng.normal(0, 8), 0, 100)),
        state={},
        adapter=TASKS[spec.task][1] if routed or spec.candidate == "adapter" else None,
        recognised_task=spec.task if routed else None,
        goals_served=("first",) if turn == 2 + spec.replicate + len(spec.persona) % 4 and near > 0.75 else (),
        stop=_stop(spec, turn) if last else None,
    )


@cache
def make_study(
    turns: int = 24, candidates: tuple[str, ...] = tuple(CANDIDATES), per_task: int = 1
) -> tuple[Results, list[EpisodeRecord], dict[str, Persona]]:
    """Hold the study and measure it: results, episodes, personas by id."""
    people = make_personas(per_task)
    episodes = make_episodes(people, turns=turns, seeds=1, candidates=candidates)
    return (
        build_results(
            episodes,
            candidates=specs(candidates),
            raters=[PRIMARY, WITNESS],
            tasks={id: _task(id, title, pattern) for id, (title, pattern) in TASKS.items()},
            patterns={id: _pattern(id, levels, advice) for id, (levels, advice) in PATTERNS.items()},
            personas=people,
            study_name="quickstart",
            seed=7,
            baseline="base",
            timings_s={"simulate": 41.2, "dialogues": 22.8, "train": 63.4, "route": 3.1, "stress_test": 88.0},
            provenance={
                "model": "micro-c",
                "microcosm": True,
                "command": "holdfast quickstart --seed 7",
                "model_sha256": "a1b2c3d4" * 8,
                "versions": {"python": "3.11.2", "torch": "2.13.0", "transformers": "5.0.0"},
                "ablation": [
                    {"recipe": "cue (shipped)", "first two turns": 0.93, "last quarter": 0.61, "retention": 0.66},
                    {"recipe": "constant style", "first two turns": 0.95, "last quarter": 0.95, "retention": 1.0},
                    {"recipe": "whole-document loss", "first two turns": 0.71, "last quarter": 0.52, "retention": 0.73},
                ],
            },
            population=_population(np.random.default_rng(7)),
            draws=60,
        ),
        episodes,
        people,
    )


def _stop(spec: EpisodeSpec, turn: int) -> str:
    left = "user left: every goal is met and the user is satisfied"
    return left if turn < spec.max_turns else "max turns"


def _judged(shown: np.ndarray, turn: int) -> Rating:
    """A witness that sees a little less, and does not answer for the third turn."""
    return Rating(missing="no answer in time") if turn == 3 else expressed(*(0.8 * float(x) for x in shown))


def make_results(turns: int = 24, candidates: tuple[str, ...] = tuple(CANDIDATES)) -> Results:
    """Only the results of the study; a copy whose parts may be changed."""
    return make_study(turns, candidates)[0].model_copy(deep=True)


def with_candidate(results: Results, name: str, **changes: Any) -> Results:
    """The same results with other figures of one candidate."""
    changed = results.candidates[name].model_copy(update=changes)
    return results.model_copy(update={"candidates": {**results.candidates, name: changed}})


def _task(id: str, title: str, pattern: str) -> TaskContext:
    words = ("a", "b", "c")
    return TaskContext(
        id=id, title=title, description=title, assumption="made up", pattern=pattern, topics=words, needs=words
    )


def _pattern(id: str, levels: tuple[int, int, int], advice: int) -> EmpathyPattern:
    target = MechanismLevels(**dict(zip(MECHANISMS, levels, strict=True)))
    return EmpathyPattern(
        id=id, title=id.capitalize(), description=id, assumption="made up", target=target, advice=advice
    )


def _population(rng: np.random.Generator, size: int = 48) -> dict[str, Any]:
    tasks = list(TASKS)
    nodes = [
        {
            "id": f"a{i}",
            "persona": f"{tasks[i % 8]}_{i % 3}",
            "task": tasks[i % 8],
            "felt": float(rng.uniform(1.2, 4.9)),
        }
        for i in range(size)
    ]
    nodes[5]["felt"] = None
    edges = [[f"a{i}", f"a{(i + 1) % size}"] for i in range(size)]
    edges += [[f"a{a}", f"a{b}"] for a, b in rng.integers(0, size, (40, 2)) if a != b]
    return {"nodes": nodes, "edges": edges}


if __name__ == "__main__":
    from holdfast.simulator.report.page import write_report

    print(write_report(Path(sys.argv[1]), *make_study(per_task=3)))
