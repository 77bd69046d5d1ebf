"""Draw a synthetic study: episodes, personas, and a results dict of schema version 1. Run it to look at the page.

python tests/launch.py tests.simulator.report.make_fixture OUT.html
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.protocols import SENSE7, Intention
from holdfast.agents.raters.protocol import expressed
from holdfast.personas.schema import MECHANISMS, Goal, Persona
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

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
        said=Intention("feel", feeling=feeling, topic=topic),
        reply=f"It makes sense to feel {feeling} when {topic} has been open since Monday. "
        f"{'What part of it weighs on you most?' if near > 0.8 else 'Split it into three steps and do the first one.'}",
        ratings={"linear": expressed(*(float(x) for x in shown))},
        felt=felt,
        emotion=float(np.clip(60 * near + rng.normal(0, 8), 0, 100)),
        state={},
        adapter=TASKS[spec.task][1] if routed or spec.candidate == "adapter" else None,
        recognised_task=spec.task if routed else None,
        stop="user left: every goal is met and the user is satisfied" if last and turn < spec.max_turns else None,
    )


def make_results(turns: int = 24, candidates: Sequence[str] = tuple(CANDIDATES), people: int = 24) -> dict[str, Any]:
    """What measurement would say of these candidates, drawn from the same curves."""
    rng = np.random.default_rng(7)
    return {
        "schema_version": 1,
        "holdfast_version": "0.1.0",
        "study": "quickstart",
        "seed": 7,
        "transcripts_sha256": "3f7a9b0c" * 8,
        "turns": turns,
        "episodes": people * 2 * len(candidates),
        "failed_episodes": 0,
        "unfinished_episodes": 0,
        "baseline": "base",
        "tasks": {task: {"title": title, "pattern": pattern} for task, (title, pattern) in TASKS.items()},
        "patterns": {
            p: {"title": p.capitalize(), "target": dict(zip(MECHANISMS, levels, strict=True)), "advice": advice}
            for p, (levels, advice) in PATTERNS.items()
        },
        "candidates": {name: _candidate(name, turns, people, rng) for name in candidates},
        "pairwise": [
            {"a": a, "b": b, "metric": metric, **_about(_level(a, turns) - _level(b, turns), 0.03), "n": people * 2}
            for metric in ("adherence_last_quarter", "gap_abs")
            for i, b in enumerate(candidates)
            for a in candidates[i + 1 :]
        ],
        "router": _router(turns),
        "population": _population(rng),
        "timings_s": {"simulate": 41.2, "dialogues": 22.8, "train": 63.4, "route": 3.1, "stress_test": 88.0},
        "provenance": {
            "model": "micro-c",
            "command": "holdfast quickstart --seed 7",
            "model_sha256": "a1b2c3d4" * 8,
            "versions": {"python": "3.11.2", "torch": "2.13.0", "transformers": "5.0.0"},
            "ablation": [
                {"recipe": "cue (shipped)", "first two turns": 0.93, "last quarter": 0.61, "retention": 0.66},
                {"recipe": "constant style", "first two turns": 0.95, "last quarter": 0.95, "retention": 1.0},
                {"recipe": "whole-document loss", "first two turns": 0.71, "last quarter": 0.52, "retention": 0.73},
            ],
        },
    }


def _about(mean: float, width: float) -> dict[str, float]:
    return {"mean": mean, "lo": mean - width, "hi": mean + width}


def _candidate(name: str, turns: int, people: int, rng: np.random.Generator) -> dict[str, Any]:
    n = people * 2
    level = [_level(name, t) + float(rng.normal(0, 0.008)) for t in range(1, turns + 1)]
    quarter = max(1, turns // 4)
    first, last = float(np.mean(level[:quarter])), float(np.mean(level[-quarter:]))
    left = [n - int(0.15 * n * t / turns) for t in range(turns)]

    def by_turn(values: Sequence[float], width: float) -> list[dict[str, Any]]:
        return [{"turn": t + 1, **_about(v, width), "n": left[t]} for t, v in enumerate(values)]

    share, survival = 1.0, []
    for t, value in enumerate(level):
        share *= 1 - max(0.0, 0.8 - value) * 0.6
        survival.append(
            {"turn": t + 1, "share": share, "lo": share - 0.06, "hi": min(1.0, share + 0.05), "at_risk": left[t]}
        )
    decays = CANDIDATES[name][0] - CANDIDATES[name][1] > 0.1
    return {
        "episodes": n,
        "adherence_by_turn": by_turn(level, 0.025),
        "mechanism_by_turn": {m: by_turn([1.1 * v - 0.2 * i for v in level], 0.06) for i, m in enumerate(MECHANISMS)},
        "mechanism_error_by_turn": {
            m: by_turn([2 * (1 - v) * (0.8 + 0.2 * i) for v in level], 0.05) for i, m in enumerate(MECHANISMS)
        },
        "retention": _about(last / first, 0.03),
        "gap_abs": _about(2.4 * (1 - last) + 0.3, 0.12),
        "gap_reduction": _about(1 - (2.4 * (1 - last) + 0.3) / 1.36, 0.05),
        "score_factor": _about(last / 0.56, 0.06),
        "slope_per_turn": _about((last - first) / turns, 0.002),
        "adherence_first_two_turns": float(np.mean(level[:2])),
        "adherence_last_quarter": _about(last, 0.02),
        "half_life_turns": 7.4 if decays else None,
        "half_life_note": None if decays else "does not decay: the fit finds no fall to a floor",
        "first_violation_median_turn": 11 if decays else None,
        "survival": survival,
        "naming": {**_about(0.86, 0.04), "n": 312},
        "felt_by_dimension": {d: _about(1 + 4 * last, 0.1) for d in SENSE7},
        "by_task": {task: _task(task, i, last, rng) for i, task in enumerate(TASKS)},
    }


def _task(task: str, index: int, last: float, rng: np.random.Generator) -> dict[str, Any]:
    desired = (1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 5.0, 5.0)[index]
    start = 3.4 if desired < 2 else 2.1
    perceived = desired + (start - desired) * (1 - last) / 0.44 * 0.9 + float(rng.normal(0, 0.08))
    perceived = min(5.0, max(1.0, perceived))
    return {
        "n": 6,
        "desired": desired,
        "perceived": _about(perceived, 0.2),
        "gap": _about(desired - perceived, 0.2),
        "gap_abs": _about(abs(desired - perceived), 0.15),
        "adherence": _about(last, 0.05),
    }


def _router(turns: int) -> dict[str, Any]:
    names = list(TASKS)
    confusion = {
        true: {other: 132 if other == true else (9 if i == (j + 1) % 8 else 0) for i, other in enumerate(names)}
        for j, true in enumerate(names)
    }
    accuracy = [{"turn": t, "accuracy": 0.97 - 0.35 * math.exp(-t / 1.5), "n": 48} for t in range(1, turns + 1)]
    return {"accuracy": 0.936, "n": 1128, "confusion": confusion, "accuracy_by_turn": accuracy}


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

    someone = make_personas()
    print(write_report(Path(sys.argv[1]), make_results(), make_episodes(someone), someone))
