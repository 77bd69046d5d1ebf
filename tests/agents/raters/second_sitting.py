"""What the second sitting's labels add: ``python tests/launch.py tests.agents.raters.second_sitting [DATA]``.

Replies of that sitting answer contexts whose ids begin with M. The linear rater is fitted without any of them, and
twice with those to half of their contexts, and asked about the other half. Prints quadratic-weighted kappa with the
labels; about three minutes of CPU.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from holdfast.agents.raters.agreement import quadratic_weighted_kappa
from holdfast.agents.raters.linear.epitome_pairs import EpitomePair
from holdfast.agents.raters.linear.features import Floats
from holdfast.agents.raters.linear.fit import Labels, fit
from holdfast.agents.raters.linear.labelled_replies import CONTEXTS
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.validation.folder import data_folder
from tests.agents.raters.neutral import REPLIES


def main(data: Path) -> None:
    """Print the table."""
    labels = Labels.read(data, REPLIES)
    peers = fit(Labels(labels.peers))  # every fit with assistants compares itself with this

    def levels_by(assistants: Sequence[EpitomePair], asked: Sequence[EpitomePair]) -> Floats:
        """(R, M) levels of ``asked`` by a rater fitted on the peers and ``assistants``."""
        return fit(Labels(labels.peers, assistants), before=peers).model.levels([pair.reply for pair in asked])

    first, second = list[EpitomePair](), list[EpitomePair]()
    for pair in labels.assistants:
        (second if pair.post_id.startswith(f"{CONTEXTS}: M") else first).append(pair)
    half_of = {context: at % 2 for at, context in enumerate(sorted({pair.post_id for pair in second}))}
    halves = [[pair for pair in second if half_of[pair.post_id] == half] for half in (0, 1)]
    asked = [*halves[0], *halves[1]]
    without = levels_by(first, asked)
    with_them = np.concatenate([levels_by([*first, *halves[1 - half]], halves[half]) for half in (0, 1)])
    print(f"{len(first)} replies of the first sitting, {len(second)} of the second; kappa on the second:")
    for m, mechanism in enumerate(MECHANISMS):
        true = [pair.levels[m] for pair in asked]
        told = (quadratic_weighted_kappa(np.rint(each[:, m]).astype(int), true) for each in (without, with_them))
        print(f"  {mechanism:20} fitted without them {next(told):.2f}, on the other half too {next(told):.2f}")


if __name__ == "__main__":
    main(data_folder(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
