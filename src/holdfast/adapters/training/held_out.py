"""Dialogues that are not learned from and say when to stop: the adapter is kept as it was when their loss was least."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch
from transformers import TrainerCallback

from holdfast.adapters.training.settings import EVALUATE_EVERY, HELD_OUT_SHARE
from holdfast.core.seeds import derive_seed

Item = TypeVar("Item")


def hold_out_people(items: Sequence[Item], person: Callable[[Item], str], seed: int) -> tuple[list[Item], list[Item]]:
    """Split what is learned from into items to train on and those of a few people, whose loss decides when to stop.

    Nothing is held out where there are fewer than three people: one could not stand for the rest.
    """
    people = sorted({person(item) for item in items}, key=lambda name: derive_seed(seed, "held-out loss", name))
    if len(people) < 3:
        return list(items), []
    out = set(people[: max(1, round(HELD_OUT_SHARE * len(people)))])
    return [item for item in items if person(item) not in out], [item for item in items if person(item) in out]


class BestHeldOut(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Keeps the adapter of the least held-out loss, and stops after ``patience`` evaluations without a lower one.

    ``losses``: step -> nats per token (of pairs: DPO's loss); ``best_step``: None before the first evaluation.
    """

    def __init__(self, patience: int) -> None:
        self.losses: dict[int, float] = {}
        self.best_step: int | None = None
        self._patience = patience
        self._weights: list[torch.Tensor] = []

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any, metrics: dict[str, float], **_: Any) -> None:
        self.losses[state.global_step] = loss = float(metrics["eval_loss"])
        if self.best_step is None or loss < self.losses[self.best_step]:
            self.best_step = state.global_step
            self._weights = [each.detach().clone() for each in _learned(model)]
        elif sum(step > self.best_step for step in self.losses) >= self._patience:
            control.should_training_stop = True

    def restore(self, model: Any) -> None:
        """Give ``model`` the adapter of the best step back."""
        with torch.no_grad():
            for now, best in zip(_learned(model), self._weights, strict=False):
                now.copy_(best)


def evaluation(rows: Sequence[Any]) -> dict[str, Any]:
    """Return the arguments of a TRL trainer that looks at held-out ``rows``; none where there are none."""
    return {"eval_strategy": "steps", "eval_steps": EVALUATE_EVERY} if rows else {}


def _learned(model: Any) -> Iterable[torch.Tensor]:
    return (each for each in model.parameters() if each.requires_grad)
