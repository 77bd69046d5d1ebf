"""How gate and raters stand 168 probes: ``python tests/launch.py tests.agents.raters.probe_table linear linear_peers``.

Twenty-one kinds of eight replies each, written by a language model that had seen neither gate nor rater: failures that
must be disqualified, bad replies that a rater of words overrates, good ones in many wordings, and good ones that could
fool a gate. Those with odd ids were open while the gate's signs were chosen, the even ones sealed until it was frozen.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.fitted import FolderRater, open_fitted
from holdfast.agents.raters.gate.verdict import verdict_of
from holdfast.agents.raters.protocol import EXPRESSED, Passage
from holdfast.agents.raters.specs import FittedSpec
from holdfast.simulator.measure.arrays import Floats

PROBES = Path(__file__).with_name("probes.jsonl")
MECHANISMS = {"ER": 0, "IP": 1, "EX": 2}


@dataclass(frozen=True, slots=True)
class Probe:
    """A reply in its context, and what it is."""

    id: int
    kind: str
    passage: Passage
    disqualify: bool
    mechanism: str
    quality: str

    @property
    def sealed(self) -> bool:
        """Whether nobody looked at it before the gate was frozen."""
        return self.id % 2 == 0

    @property
    def stopped(self) -> bool:
        """Whether the gate disqualifies it."""
        return verdict_of(self.passage) is not None


def probes() -> list[Probe]:
    """All probes."""
    return [_probe(json.loads(line)) for line in PROBES.read_text(encoding="utf-8").splitlines()]


def _probe(line: dict[str, Any]) -> Probe:
    said = tuple(Message(each["role"], each["content"]) for each in line["messages"])
    passage = Passage((*said, Message("assistant", line["reply"])))
    return Probe(line["id"], line["kind"], passage, line["disqualify"], line["mechanism"], line["quality"])


def auc(chosen: list[Probe], mechanism: str, rater: FolderRater) -> float:
    """Chance that a good probe of the mechanism is rated above a bad one that is not disqualified; ties half."""
    levels = {quality: _levels(chosen, mechanism, quality, rater) for quality in ("good", "bad")}
    good, bad = levels["good"][:, None], levels["bad"][None, :]
    return float((good > bad).mean() + (good == bad).mean() / 2)


def _levels(chosen: list[Probe], mechanism: str, quality: str, rater: FolderRater) -> Floats:
    of = [each for each in chosen if (each.mechanism, each.quality, each.disqualify) == (mechanism, quality, False)]
    ratings = rater.score([each.passage for each in of])
    return np.array([rating.levels(EXPRESSED.dimensions)[MECHANISMS[mechanism]] for rating in ratings])


def main() -> None:
    """Print what is stopped, and how good and bad replies are told apart."""
    everything = probes()
    raters = {name: open_fitted(FittedSpec.model_validate({"kind": name})) for name in sys.argv[1:]}
    for title, sealed in (("open", False), ("sealed", True)):
        chosen = [each for each in everything if each.sealed == sealed]
        print(title)
        for kind in dict.fromkeys(each.kind for each in chosen):
            of = [each for each in chosen if each.kind == kind]
            print(f"  {kind:30} disqualified {sum(each.stopped for each in of)} of {len(of)}")
        for mechanism in MECHANISMS:
            shares = ", ".join(f"{name} {auc(chosen, mechanism, rater):.2f}" for name, rater in raters.items())
            print(f"  {mechanism}: good above bad {shares}")


if __name__ == "__main__":
    main()
