"""Whether two runs measured with one instrument: what is alike in both cannot explain a difference."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.core.wording import shorten
from holdfast.personas.schema import EmpathyPattern, TaskContext
from holdfast.simulator.config.plan import models_by_effect
from holdfast.simulator.runtime.recorded_run import RecordedRun

PHRASES = "phrases"  # what embedded users say; a replayed run does not record it
_SHOWN = 100  # characters of a part that an error repeats


def instrument(run: RecordedRun, tasks: Collection[str], personas: Collection[str]) -> dict[str, str]:
    """Return everything that must be alike, by what it is: who plays people, who rates, what is expected of a reply.

    ``tasks``, ``personas``: those that both runs met.
    """
    rater, plan = run.raters[0], run.plan
    rubric = f", rubric {rater.prompt_sha256}" if rater.prompt_sha256 else ""
    inputs: Mapping[str, Any] = run.provenance.get("inputs", {})
    users = plan.study.model_dump(mode="json", include={"users"}, exclude_none=True)["users"]
    players = models_by_effect(users if isinstance(users, list) else [users])
    parts = {
        "simulator": json.dumps(players, sort_keys=True),
        "users may leave": str(plan.study.leave).lower(),
        "rater": f"{rater.id} {rater.version}{rubric}, scale {rater.scale.id}",
    }
    if any(users.kind == "embedded" for users in plan.study.users):
        parts["voice of embedded people"] = "natural" if plan.study.natural_voice else "grammar"
    parts |= {name: str(inputs[name]) for name in ("gate", PHRASES) if name in inputs}
    parts |= {name: str(hash) for name, hash in inputs.items() if name.startswith("prompt users/")}
    if feeler := json.loads(run.meta.get("study", "{}")).get("feeler"):
        parts["feeler"] = json.dumps(feeler, sort_keys=True)
    parts |= {f"pattern of {task}": _expected(plan.tasks[task], plan.patterns) for task in tasks}
    parts |= {f"persona {id}": sha256(plan.personas[id].model_dump_json()) for id in personas}
    for id in personas if plan.variants else ():
        of_persona = (each.model_dump_json() for agent, each in plan.variants.items() if agent.startswith(f"{id}-"))
        parts[f"variants of {id}"] = sha256("\n".join(of_persona))
    return parts


def require_alike(first: RecordedRun, second: RecordedRun, tasks: Collection[str], personas: Collection[str]) -> None:
    """Make sure that two runs can be compared.

    Raises:
        InputError: Saying each part in which they are unlike, and what it is in either.
    """
    one_side, other_side = (instrument(run, tasks, personas) for run in (first, second))
    if PHRASES not in one_side.keys() & other_side.keys():
        one_side, other_side = ({part: of[part] for part in of if part != PHRASES} for of in (one_side, other_side))
    unlike = [
        f"  {part}: {_shown(one_side, part)} in {first.out}, {_shown(other_side, part)} in {second.out}"
        for part in {**one_side, **other_side}
        if one_side.get(part) != other_side.get(part)
    ]
    if unlike:
        raise InputError(
            f"{first.out} and {second.out} cannot be compared, they differ in more than their candidates:\n"
            + "\n".join(unlike)
            + "\nRate either again with the raters of today: "
            f"holdfast run {first.out / 'study.yaml'} --out NEW --replay {first.out}"
        )


def _expected(task: TaskContext, patterns: Mapping[str, EmpathyPattern]) -> str:
    pattern = patterns[task.pattern]
    return f"{pattern.id} {tuple(pattern.target.model_dump().values())}"


def _shown(parts: Mapping[str, str], part: str) -> str:
    return shorten(parts.get(part, "absent"), _SHOWN)
