"""Training libraries kept quiet, their losses kept, their threads fixed: what every training here needs of them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import datasets
import torch
import transformers
from transformers import TrainerCallback


class Losses(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Keeps each step's loss, and tells how far training is."""

    def __init__(self, on_step: Callable[[int, int], None] | None, steps: int) -> None:
        self.values: list[float] = []
        self._on_step = on_step
        self._steps = steps

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.values.append(float(logs["loss"]))
            if self._on_step is not None:
                self._on_step(len(self.values), self._steps)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' bars and remarks off the screen; the pipeline has a bar of its own."""
    level = transformers.logging.get_verbosity()
    bars = transformers.logging.is_progress_bar_enabled(), datasets.are_progress_bars_disabled()
    trl = logging.getLogger("trl")
    trl_level = trl.level
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    trl.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of the libraries, about each other
            yield
    finally:
        transformers.logging.set_verbosity(level)
        trl.setLevel(trl_level)
        if bars[0]:
            transformers.logging.enable_progress_bar()
        if not bars[1]:
            datasets.enable_progress_bars()


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Sums in another order round otherwise: a fixed number of threads makes the trained bytes repeatable."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
