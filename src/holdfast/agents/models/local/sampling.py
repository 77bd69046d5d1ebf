"""Draw the next token of each row: greedy, temperature, nucleus.

A row's token is a function of its own logits and its own uniform number only. The uniforms come from a generator
seeded by the request, one per token, and are turned into a token by the inverse of the cumulative distribution *in
the order of the vocabulary*, so that neither the batch nor a near-tie in a sort can change it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from holdfast.agents.protocols import Sampling


def uniforms(seed: int, count: int) -> NDArray[np.float64]:
    """Return ``count`` numbers in [0, 1) from ``seed`` alone, shape (count,)."""
    return np.random.default_rng(seed).random(count)


def draw(logits: torch.Tensor, settings: Sequence[Sampling], chances: NDArray[np.float64]) -> list[int]:
    """Draw one token id per row.

    Args:
        logits: (rows, vocabulary), any floating type; computed on in float64.
        settings: how each row decodes; temperature 0 is greedy (the lowest id wins a tie).
        chances: (rows,), each row's uniform number.
    """
    greedy = [row for row, sampling in enumerate(settings) if sampling.temperature == 0]
    if len(greedy) == len(settings):
        return logits.argmax(-1).tolist()
    temperatures = [sampling.temperature or 1.0 for sampling in settings]
    scaled = logits.double() / torch.tensor(temperatures, dtype=torch.float64, device=logits.device)[:, None]
    probabilities = scaled.softmax(-1)
    nucleus = [row for row, sampling in enumerate(settings) if sampling.top_p < 1 and sampling.temperature > 0]
    if nucleus:
        probabilities[nucleus] = keep_nucleus(probabilities[nucleus], [settings[row].top_p for row in nucleus])
    cumulative = probabilities.cumsum(-1)
    targets = torch.from_numpy(chances).to(logits.device) * cumulative[:, -1]
    # The first id whose cumulative probability exceeds the target; an id of probability 0 never does.
    tokens: list[int] = torch.searchsorted(cumulative, targets[:, None], right=True)[:, 0].tolist()
    if greedy:
        best = logits[greedy].argmax(-1).tolist()
        for row, token in zip(greedy, best, strict=True):
            tokens[row] = token
    return tokens


def keep_nucleus(probabilities: torch.Tensor, top_p: Sequence[float]) -> torch.Tensor:
    """Zero all but the smallest set of most probable tokens that holds ``top_p`` (Holtzman et al., ICLR 2020).

    Tokens as probable as the least probable one kept are kept too, so that the order of equals does not matter. The
    result is not renormalised.

    Args:
        probabilities: (rows, vocabulary), each row summing to 1.
        top_p: (rows,), the probability to keep.
    """
    ordered = probabilities.sort(-1, descending=True).values
    before = ordered.cumsum(-1) - ordered  # probability of all that come earlier
    limits = torch.tensor(top_p, dtype=probabilities.dtype, device=probabilities.device)[:, None]
    last = (before < limits).sum(-1, keepdim=True).clamp(min=1) - 1
    return probabilities.where(probabilities >= ordered.gather(-1, last), torch.zeros_like(probabilities))
