"""How the gate and the linear rater stand 168 probes: ``python tests/launch.py tests.agents.raters.probe_table``.

Twenty-one kinds of eight replies each, written by a language model that had seen neither gate nor rater: failures that
must be disqualified, bad replies that a rater of words overrates, good ones in many wordings, and good ones that could
fool a gate. Those with odd ids were open while the gate's signs were chosen, the even ones sealed until it was frozen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.gate.verdict import verdict_of
from holdfast.agents.raters.linear.rater import SHIPPED, SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.protocol import Passage
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


def auc(chosen: list[Probe], mechanism: str, folder: Path) -> float:
    """Chance that a good probe of the mechanism is rated above a bad one that is not disqualified; ties half."""
    levels = {quality: _levels(chosen, mechanism, quality, folder) for quality in ("good", "bad")}
    good, bad = levels["good"][:, None], levels["bad"][None, :]
    return float((good > bad).mean() + (good == bad).mean() / 2)


def _levels(chosen: list[Probe], mechanism: str, quality: str, folder: Path) -> Floats:
    of = [each for each in chosen if (each.mechanism, each.quality, each.disqualify) == (mechanism, quality, False)]
    texts = [each.passage.messages[-1].content for each in of]
    return np.asarray(LinearRater(folder).model.levels(texts)[:, MECHANISMS[mechanism]])


def main() -> None:
    """Print what is stopped, and how good and bad replies are told apart."""
    everything = probes()
    for title, sealed in (("open", False), ("sealed", True)):
        chosen = [each for each in everything if each.sealed == sealed]
        print(title)
        for kind in dict.fromkeys(each.kind for each in chosen):
            of = [each for each in chosen if each.kind == kind]
            print(f"  {kind:30} disqualified {sum(each.stopped for each in of)} of {len(of)}")
        for mechanism in MECHANISMS:
            both = [auc(chosen, mechanism, folder) for folder in (SHIPPED, SHIPPED_PEERS)]
            print(f"  {mechanism}: good above bad {both[0]:.2f} (fitted on peers only {both[1]:.2f})")


if __name__ == "__main__":
    main()
