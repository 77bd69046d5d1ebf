from __future__ import annotations

import numpy as np
import pytest
import torch

from holdfast.agents.models.local.sampling import draw, keep_nucleus, uniforms
from holdfast.agents.protocols import Sampling

PROBABILITIES = torch.tensor([[0.1, 0.4, 0.2, 0.3]], dtype=torch.float64)


@pytest.mark.parametrize(("chance", "token"), [(0.0, 0), (0.0999, 0), (0.1001, 1), (0.4999, 1), (0.5001, 2), (0.9, 3)])
def test_a_uniform_number_picks_by_the_inverse_of_the_cumulative(chance: float, token: int) -> None:
    assert draw(PROBABILITIES.log(), [Sampling(temperature=1.0)], np.array([chance])) == [token]


def test_temperature_sharpens() -> None:
    # p^2 normalised: .01, .16, .04, .09 over .30, so cumulative .033, .567, .700, 1.
    chances = np.array([0.03, 0.04, 0.56, 0.57, 0.69, 0.71])
    logits = PROBABILITIES.log().expand(6, 4)
    assert draw(logits, [Sampling(temperature=0.5)] * 6, chances) == [0, 1, 1, 2, 2, 3]


def test_nucleus_keeps_the_fewest_that_reach_top_p() -> None:
    # In order .4, .3, .2, .1: .65 needs two, .75 needs three.
    two, three = keep_nucleus(PROBABILITIES.expand(2, 4), [0.65, 0.75]).tolist()
    assert two == [0, 0.4, 0, 0.3]
    assert three == [0, 0.4, 0.2, 0.3]
    assert draw(PROBABILITIES.log(), [Sampling(1.0, top_p=0.65)], np.array([0.58])) == [3]  # .58 of .7 is .406


def test_a_row_is_drawn_the_same_alone_and_in_company() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 500, dtype=torch.float64, generator=generator)
    kinds = [Sampling(0.0), Sampling(0.7), Sampling(1.3, top_p=0.8), Sampling(1.0, top_p=1e-9)]
    settings = [kinds[row % 4] for row in range(40)]
    chances = uniforms(3, 40)
    together = draw(logits, settings, chances)
    assert together == [draw(logits[[r]], [settings[r]], chances[[r]])[0] for r in range(40)]
    best = logits.argmax(-1).tolist()
    assert [together[row] for row in range(0, 40, 4)] == best[::4]
    assert [together[row] for row in range(3, 40, 4)] == best[3::4]


def test_frequencies_follow_the_probabilities() -> None:
    count = 20_000
    drawn = draw(PROBABILITIES.log().expand(count, 4), [Sampling(1.0)] * count, uniforms(7, count))
    shares = np.bincount(drawn, minlength=4) / count
    np.testing.assert_allclose(shares, PROBABILITIES[0], atol=4 * np.sqrt(0.25 / count))
