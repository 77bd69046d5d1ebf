"""Fits a rater's weights on a labelled set and writes its folder: weights, vocabulary, manifest, card."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.raters.agreement import quadratic_weighted_kappa, spearman
from holdfast.agents.raters.dialogue.card import Figures, write_dialogue_card
from holdfast.agents.raters.dialogue.recipes import AnyRecipe
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.epitome_pairs import POSTS, as_messages, read_pairs
from holdfast.agents.raters.protocol import EXPRESSED, Passage
from holdfast.core.errors import InputError
from holdfast.core.reading.tables import table_beside
from holdfast.simulator.measure.agreement import mean_absolute_difference
from holdfast.simulator.validation.chats import read_ieval


def read_epitome_pairs(data: Path) -> Labelled:
    """``epitome_reddit``: post and reply, levels 0-2; the post stands for the person."""
    nested = data / "epitome_reddit" / "pairs.csv"
    pairs = read_pairs(nested if table_beside(nested).exists() else data / "pairs.csv")
    return Labelled(
        id="epitome_reddit",
        scale=EXPRESSED,
        passages=tuple(Passage(as_messages(pair)) for pair in pairs),
        people=tuple(pair.post_id for pair in pairs),
        dimensions=EXPRESSED.dimensions,
        labels=np.array([pair.levels for pair in pairs], dtype=np.float64),
        population=POSTS,
    )


#: Scale -> what reads the labels that its raters are fitted on.
LABELS: Mapping[str, Callable[[Path], Labelled]] = {
    "expressed": read_epitome_pairs,
    "perceived": lambda data: read_ieval(data).labelled,
    "felt": lambda data: read_ieval(data).overall().labelled,
}


def make(recipe: AnyRecipe, labelled: Labelled, out: Path, seed: int = 0) -> dict[str, Any]:
    """Fit, write ``out``, and give the agreement with people left out: dimension -> spearman, qwk, mae, penalty.

    Raises :class:`InputError` where ``out`` cannot be written.
    """
    fit = recipe.fit(recipe.reader.read(labelled.passages), labelled, seed)
    fitted_on = labelled.rows(fit.rows)
    figures = [
        Figures(
            spearman(score, truth),
            quadratic_weighted_kappa(np.floor(score + 0.5), truth),
            mean_absolute_difference(score, truth),
        )
        for truth, score in zip(fitted_on.labels.T, fit.held_out.T, strict=True)
    ]
    manifest = recipe.manifest(fitted_on)
    try:
        fit.model.save(out)
        manifest.save(out)
        write_dialogue_card(out, manifest, fitted_on, fit, figures)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error}). Give another folder with --out.") from error
    return {
        name: {"spearman": figure.spearman, "qwk": figure.kappa, "mae": figure.error, "penalty": penalty}
        for name, figure, penalty in zip(labelled.dimensions, figures, fit.penalties, strict=True)
    }
