"""One look at DUO: do ratings of chats with GPT-4o and Llama-70B go with what the people who chatted said of empathy?

``python tests/launch.py tests.simulator.validation.duo_look RATER...``, with the data in HOLDFAST_DATA; a rater is a
word, or people, the feeler. Each look counts, and stands in docs/LOG.md: DUO is for validation alone. Spearman's rank
correlation with the person's empathy (1-5), and the same with reply length taken out of both ranks, for the feeler with
expressed levels too; 95 % limits by resampling people.
"""

from __future__ import annotations

import sys

import numpy as np

from holdfast.agents.raters.agreement import mid_ranks
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.fitted import open_fitted
from holdfast.agents.raters.specs import FittedSpec
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.validation.folder import data_folder
from holdfast.simulator.validation.perceived import expressed_levels, partial_spearman
from tests.simulator.validation.duo import read_duo

DRAWS = 2000


def correlation(a: Floats, b: Floats) -> float:
    """Spearman's."""
    return float(np.corrcoef(mid_ranks(a), mid_ranks(b))[0, 1])


def main() -> None:
    """Print a line for reply length and for each rater."""
    chats = read_duo(data_folder(None))
    empathy, length, people = chats.empathy, chats.reply_chars, int(chats.persons.max()) + 1
    scores = {"reply length": length}
    for name in sys.argv[1:]:
        rater = PeopleFeeler() if name == "people" else open_fitted(FittedSpec.model_validate({"kind": name}))
        ratings = rater.score(chats.passages)
        scores[name] = np.array([np.mean([*rating.values.values()]) if rating.values else np.nan for rating in ratings])
    expressed = np.column_stack([length, expressed_levels(chats.passages)])
    random = np.random.default_rng(5)
    rows = [np.flatnonzero(chats.persons == each) for each in range(people)]
    draws = [np.concatenate([rows[each] for each in random.integers(people, size=people)]) for _ in range(DRAWS)]
    print(f"{len(chats.passages)} chats of {people} people")
    for name, score in scores.items():
        known = ~np.isnan(score)
        figures = [("rho", lambda at, score=score: correlation(score[at], empathy[at]))]
        if name != "reply length":
            for what, given in (("beyond length", length), ("beyond length and levels", expressed)):
                if what == "beyond length" or name == "people":
                    figures.append(
                        (what, lambda at, score=score, given=given: partial_spearman(score[at], empathy[at], given[at]))
                    )
        told = []
        for what, figure in figures:
            resampled = [figure(at[known[at]]) for at in draws]
            low, high = np.nanquantile(resampled, (0.025, 0.975))
            told.append(f"{what} {figure(np.flatnonzero(known)):.2f} [{low:.2f}, {high:.2f}]")
        print(f"{name:14} {'; '.join(told)}")


if __name__ == "__main__":
    main()
