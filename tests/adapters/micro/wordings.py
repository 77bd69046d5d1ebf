"""Do the microcosm's wordings stand at the levels they are meant for? Sentences without their level, then agreement.

``python tests/launch.py tests.adapters.micro.wordings`` prints 120 sentences in random order. Somebody labels each by
EPITOME's definitions, mechanism by mechanism (0-2), into ``wordings.json``; with ``--compare`` the levels that the
grammar means are compared with those labels, and with what the linear raters say.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.adapters.micro.replies import load_replies
from holdfast.agents.protocols import Message
from holdfast.agents.raters.agreement import quadratic_weighted_kappa
from holdfast.agents.raters.linear.rater import SHIPPED, SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.protocol import Passage
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.measure.arrays import Floats

LABELS = Path(__file__).with_name("wordings.json")
SEED, EACH, ADVICE = 31, 17, 18  # sentences of each mechanism and level; of advice, level 0 of all three
FEELINGS = ("anxious", "guilty", "tense", "lonely", "stuck", "tired", "angry", "ashamed")
TOPICS = ("your report", "the exam", "your sister", "the new job", "the move", "your comments")


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence of the grammar and the levels it is meant to have, in the order of ``MECHANISMS``."""

    sentence: str
    meant: tuple[int, ...]


def wordings() -> list[Wording]:
    """Draw the sentences, the same each time, in random order."""
    rng = random.Random(SEED)
    kinds = [(part, level) for part in MECHANISMS for level in (1, 2) for _ in range(EACH)]
    kinds += [("advice", rng.choice((1, 2))) for _ in range(ADVICE)]
    drawn = [_wording(part, level, rng) for part, level in kinds]
    rng.shuffle(drawn)
    return drawn


def _wording(part: str, level: int, rng: random.Random) -> Wording:
    grammar = load_replies()
    step, following = map(rng.choice, rng.sample(grammar.steps, 2))
    values = {"step": step, "next": following, "need": "sort the slides"}
    values |= {"feeling": rng.choice(FEELINGS), "topic": rng.choice(TOPICS)}
    sentence = rng.choice(rng.choice(grammar.frames[part, level])).fill(values)
    return Wording(sentence, tuple(level if part == each else 0 for each in MECHANISMS))


def compare(drawn: list[Wording]) -> None:
    """Print weighted kappa of the meant levels with the labels and the raters, and the raters' mean by meant level."""
    meant = np.array([each.meant for each in drawn])
    labels = np.array(json.loads(LABELS.read_text(encoding="utf-8")))
    said = {name: rated(folder, drawn) for name, folder in (("linear", SHIPPED), ("linear_peers", SHIPPED_PEERS))}
    for column, mechanism in enumerate(MECHANISMS):
        truth = meant[:, column]
        print(f"{mechanism}: labels {quadratic_weighted_kappa(truth, labels[:, column]):.2f}", end="")
        for name, levels in said.items():
            means = " ".join(f"{levels[truth == level, column].mean():.2f}" for level in range(3))
            kappa = quadratic_weighted_kappa(truth, np.rint(levels[:, column]).astype(int))
            print(f"; {name} {kappa:.2f} (mean at meant 0, 1, 2: {means})", end="")
        print()


def rated(folder: Path, drawn: list[Wording]) -> Floats:
    """Return the levels by the linear rater in ``folder``; (sentences, mechanisms)."""
    asked = Message("user", "I do not know.")
    passages = [Passage((asked, Message("assistant", each.sentence))) for each in drawn]
    ratings = asyncio.run(LinearRater(folder).rate(passages))
    return np.array([[rating.values[mechanism] for mechanism in MECHANISMS] for rating in ratings])


if __name__ == "__main__":
    if "--compare" in sys.argv:
        compare(wordings())
    else:
        print("\n".join(f"{number} {each.sentence}" for number, each in enumerate(wordings())))
