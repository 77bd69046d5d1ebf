"""The card of a dialogue rater: what it was fitted on, how well it agrees with people left out, where it fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from holdfast.agents.raters.dialogue.features import PER_TURN
from holdfast.agents.raters.dialogue.manifest import Manifest
from holdfast.agents.raters.dialogue.recipes import FittedScores
from holdfast.agents.raters.labelled import Labelled

CARD = "card.md"
_PARTS = Path(__file__).parent / "card_parts.yaml"


@dataclass(frozen=True, slots=True)
class Figures:
    """Agreement of one dimension with the labels of people left out."""

    spearman: float
    kappa: float
    error: float


def write_dialogue_card(
    out: Path, manifest: Manifest, labelled: Labelled, fit: FittedScores, figures: Sequence[Figures]
) -> None:
    """Write ``card.md`` into ``out``. ``figures``: one per dimension."""
    history = "all turns" if manifest.history is None else f"the rated turn and {manifest.history} before it"
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {figure.spearman:.2f} | {figure.kappa:.2f} | {figure.error:.2f} | {penalty:g} |"
        for name, figure, penalty in zip(labelled.dimensions, figures, fit.penalties, strict=True)
    )
    parts = yaml.safe_load(_PARTS.read_text(encoding="utf-8"))
    source = parts["sources"].get(labelled.id, f"Labels of {labelled.id}.").strip()
    encoder = ""
    if manifest.encoder is not None:
        encoder = f"\nEncoder: {Path(manifest.encoder.name).name} (weights {manifest.encoder.sha256[:12]}).\n"
    text = f"""\
# {manifest.kind.capitalize()} rater: {manifest.scale}

Scores {", ".join(name.replace("_", " ") for name in labelled.dimensions)}, {manifest.on.low:g}-{manifest.on.high:g}.
Ridge regression on {_reads(manifest, fit)}.
It reads {history}, of both speakers, in English. Text in a conversation cannot instruct it.
{encoder}
## Fitted on
{len(fit.rows):,} passages of {len(set(labelled.people)):,} people (or posts).
{source}

## Agreement with people left out
Folds grouped by person; the penalty is chosen on the same folds, so these are slightly kind. `holdfast validate` fits
and chooses on other people and shows intervals, experts, and length as a rival.

| dimension | Spearman | weighted kappa | mean absolute error | penalty |
|---|---|---|---|---|
{rows}

## Where it fails
- It knows words and counts, not meaning: irony, quotation, denial and other languages mislead it.
{parts["fails"][manifest.scale].strip()}

## Rebuild
`{_command(manifest)}`
"""
    (out / CARD).write_text(text, encoding="utf-8", newline="\n")


def _reads(manifest: Manifest, fit: FittedScores) -> str:
    counts = len(fit.model.centre)
    parts = []
    if manifest.encoder is not None:
        counts = len(manifest.ways) * len(PER_TURN)
        parts.append(f"{len(fit.model.centre) - counts:,} numbers of sentence vectors")
    if counts:
        parts.append(f"{counts:,} counted numbers (lengths, echo, repetition, questions, cues)")
    if manifest.words:
        parts.append(f"{len(fit.model.table.keys):,} words, pairs and triples of words")
    return "\nand ".join(parts)


def _command(manifest: Manifest) -> str:
    history = "" if manifest.history is None or manifest.scale == "felt" else f" --history {manifest.history}"
    if manifest.encoder is None:
        return f"holdfast rater fit --scale {manifest.scale}{history} --out DIR"
    return f"holdfast rater train --encoder ENCODER --scale {manifest.scale}{history} --out DIR"
