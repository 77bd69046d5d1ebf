"""Neutral sentences after a reply: whatever a rater pools, advice alone must not look like empathy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.encoder.rater import EncoderRater
from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, LinearRater
from tests.agents.raters.neutral import KEPT, movements, replies

MOST = 0.2


@pytest.mark.parametrize("count", [1, 20])
async def test_neutral_sentences_move_no_level_of_the_linear_rater(count: int) -> None:
    moved = await movements(LinearRater(), replies(), KEPT[:count])
    assert len(moved) == 200
    assert np.nanmax(np.abs(moved)) <= MOST


async def test_neutral_sentences_move_no_level_of_the_encoder_rater(minilm: Path) -> None:
    assert np.nanmax(np.abs(await movements(EncoderRater(), replies(100), KEPT))) <= MOST


async def test_with_half_of_the_mechanism_they_do(tmp_path: Path) -> None:
    """The gate, and the scale's quiet beginning, each cut out; and older weights, which have neither."""
    model = LinearRater().model
    scale = model.scale.copy()
    scale[:, 0] = 0
    replace(model, gates=np.full(3, -np.inf)).save(tmp_path / "no gate")
    replace(model, scale=scale).save(tmp_path / "no quiet beginning")
    for folder in (tmp_path / "no gate", tmp_path / "no quiet beginning", SHIPPED_PEERS):
        assert np.nanmax(np.abs(await movements(LinearRater(folder), replies(), KEPT))) > MOST
