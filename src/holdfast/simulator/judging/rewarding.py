"""Training a reward model on simulated people, and how well it does with those whom it never met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.dialogues.preferences import (
    PreferencePair,
    hold_out,
    read_preference_pairs,
)
from holdfast.adapters.micro import base_path
from holdfast.agents.models.opening import load_local, local_reference
from holdfast.agents.models.references import LocalReference
from holdfast.core.jsonl import write_lines
from holdfast.core.seeds import derive_seed
from holdfast.personas.loading import library, patterns, tasks
from holdfast.simulator.measure.bootstrap import Resamples, mean_interval
from holdfast.simulator.results.shapes import plain

if TYPE_CHECKING:
    from holdfast.adapters.training.reward_model import TrainedReward

Stage = Callable[[str, int, int], None]

CONVERSATIONS = 32  # at once, in one forward pass


@dataclass(frozen=True, slots=True)
class RewardPlan:
    """What to train: pairs from a file, or from simulated people who talk with the base."""

    out: Path
    base: str = "micro"
    pairs: Path | None = None
    seed: int = 0
    config: RewardTraining = field(default_factory=RewardTraining)


async def train_and_test(plan: RewardPlan, stage: Stage) -> dict[str, Any]:
    """Collect or read the pairs, train on some personas, test on the others; what came of it, ready for JSON.

    Raises InputError or ModelError as the parts do.
    """
    reference = local_reference(plan.base, base_path(), stage)
    from holdfast.adapters.training.reward_model import (
        PAIRS,
        RewardJob,
        longer,
        require_ours,
        right,
        train_reward,
    )  # brings torch
    from holdfast.agents.raters.reward import RewardModel

    require_ours(plan.out)
    if plan.pairs is None:
        pairs: Sequence[PreferencePair] = await _simulate(plan, reference, stage)
        write_lines(pairs, plan.out / PAIRS)
    else:
        pairs = read_preference_pairs(plan.pairs)
    learn, test = hold_out(pairs, derive_seed(plan.seed, "reward"))

    name = reference.name
    job = RewardJob(reference.path, name, plan.out, derive_seed(plan.seed, "reward", "train"))
    trained = train_reward(job, plan.config, learn, lambda done, total: stage("training the reward model", done, total))
    won = right(RewardModel.load(plan.out, reference.path), test)
    return _outcome(trained, learn, test, {"reward": won, "longer_reply": longer(test)}, plan.seed)


async def _simulate(plan: RewardPlan, reference: LocalReference, stage: Stage) -> Sequence[PreferencePair]:
    from holdfast.adapters.dialogues.pairing import PairSource, collect_pairs
    from holdfast.adapters.dialogues.split import split_personas
    from holdfast.adapters.dialogues.writing import TrainingPeople
    from holdfast.agents.raters.gate.rater import GatedRater
    from holdfast.agents.raters.linear.rater import LinearRater
    from holdfast.agents.users.rules.agent import EmbeddedUser

    world = TrainingPeople(split_personas(library().values(), plan.seed), tasks(), patterns(), EmbeddedUser)
    model = load_local(reference, CONVERSATIONS)
    source = PairSource(world, model, GatedRater(LinearRater()), plan.config)
    return await collect_pairs(source, plan.seed, lambda done, total: stage("drawing pairs", done, total))


def _outcome(
    trained: TrainedReward,
    learn: Sequence[PreferencePair],
    test: Sequence[PreferencePair],
    won: dict[str, list[float]],
    seed: int,
) -> dict[str, Any]:
    """Accuracy on held-out personas, the reward model's beside its rival's; 95 % intervals resample personas."""
    resamples = Resamples.of([pair.persona for pair in test], np.random.default_rng(derive_seed(seed, "accuracy")))
    won = won | {"difference": [a - b for a, b in zip(won["reward"], won["longer_reply"], strict=True)]}
    return {
        "out": str(trained.path),
        "sha256": trained.sha256,
        "pairs": {"trained_on": trained.pairs, "left_out_as_too_long": trained.left_out, "held_out": len(test)},
        "personas": {
            "trained_on": len({pair.persona for pair in learn}),
            "held_out": sorted({pair.persona for pair in test}),
        },
        "loss": {"first": trained.first_loss, "last": trained.final_loss, "steps": trained.steps},
        "accuracy": {name: plain(asdict(mean_interval(np.array(values), resamples))) for name, values in won.items()},
    }
