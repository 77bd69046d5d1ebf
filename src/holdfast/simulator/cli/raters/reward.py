"""``holdfast rater reward``: train a reward model on pairwise preferences."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import (
    SEED,
    FiniteRange,
    Output,
    interval_cell,
    output_options,
    print_lines,
    print_table,
)


@click.command(
    epilog="\b\nExamples:\n  holdfast rater reward --out runs/reward\n"
    "  holdfast rater reward --pairs preferences.jsonl \\\n"
    "      --base hf:models/mine --out runs/reward\n"
    "  holdfast judge chats.jsonl --model reward:runs/reward\n\n"
    "Without --pairs simulated people talk with the base, steered towards the empathy pattern of their task and not; "
    "the linear rater says which reply keeps to the pattern. A line of --pairs has prompt, chosen and rejected (lists "
    "of messages, as TRL reads them), and persona: who is held out together."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
@click.option("--pairs", type=click.Path(path_type=Path), help="Preferences of your own, JSON lines.")
@click.option("--base", default="micro", show_default=True, help="Model to put the head on: micro, smollm2 or hf:PATH.")
@click.option("--steps", type=click.IntRange(min=1), default=100, show_default=True, help="Training steps.")
@click.option(
    "--dialogues",
    "dialogues_per_persona",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Per simulated person.",
)
@click.option("--learning-rate", type=FiniteRange(0, 1, min_open=True), default=2e-3, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True, help="CPU threads.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the pairs, the split and the training.")
@output_options
def reward(out: Path, pairs: Path | None, base: str, seed: int, output: Output, **training: Any) -> None:
    """Train a reward model on pairs of replies.

    It is the base with a LoRA and a head that gives one number.

    A quarter of the personas is held out; the accuracy is told for them, beside that of the longer reply.
    """
    from holdfast.adapters.config import RewardTraining
    from holdfast.simulator.judging.rewarding import RewardPlan, train_and_test
    from holdfast.simulator.monitor.viewer import viewer

    plan = RewardPlan(out, base, pairs, seed, RewardTraining(**training))
    outcome = asyncio.run(train_and_test(plan, viewer(quiet=output.bare).stage))
    output.show(outcome, lambda: _show(outcome))


def _show(outcome: Mapping[str, Any]) -> None:
    from holdfast.simulator.measure.estimates import Estimate

    shares = outcome["accuracy"].items()
    rows = [[name.replace("_", " "), interval_cell(Estimate(**share)), share["n"]] for name, share in shares]
    print_table(["prefers as the pairs say", "share [95 %]", "held-out pairs"], rows, numbers=[1, 2])
    held_out = outcome["personas"]["held_out"]
    print_lines(
        f"\ntrained on {outcome['pairs']['trained_on']} pairs of {outcome['personas']['trained_on']} people, "
        f"tested on {len(held_out)} others; loss {outcome['loss']['first']:.3f} at first, "
        f"{outcome['loss']['last']:.3f} at last\nwritten to {outcome['out']}"
    )
