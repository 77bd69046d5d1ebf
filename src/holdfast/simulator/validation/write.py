"""Writes what a validation found: JSON for machines, one figure for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError

_RANKS = ("length_within_bot", "length_only", "within_bot", "spearman")


def check_figures() -> None:
    """Check that figures can be drawn, before any work begins.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(
            "--out draws validation.png with matplotlib, which is not installed: pip install 'holdfast[figures]', "
            "or leave --out and take --json"
        ) from error


def write_validation(plain: Mapping[str, Any], results: Mapping[str, Any], out: Path) -> list[Path]:
    """Write ``validation.json`` (``plain``, without nan) and ``validation.png``; the same findings, the same bytes."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
        (out / "validation.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        _draw(results, out / "validation.png")
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error}). Give another folder with --out.") from error
    return [out / "validation.json", out / "validation.png"]


def _draw(results: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure  # here: matplotlib takes half a second

    panels: list[tuple[str, list[tuple[str, float, float, float]]]] = []
    for name in results["mean_kappa"]:
        for dimension, by in results[name].items():
            rows = [(who, kappa["qwk"], kappa["lo"], kappa["hi"]) for who, kappa in reversed(by.items())]
            panels.append((f"{name.replace('_', ' ')}: {dimension.replace('_', ' ')}", rows))
    for name in ("ieval", "ieval_unseen", "esconv"):
        if name in results:
            ranks = [(rank.replace("_", " "), results[name][rank]) for rank in _RANKS if rank in results[name]]
            rows = [(rank, value["mean"], value["lo"], value["hi"]) for rank, value in ranks]
            panels.append((f"{name.replace('_', ' ')}: Spearman", rows))
    columns = 3
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.6 * lines), layout="constrained")
    for number, (title, rows) in enumerate(panels, start=1):
        axes = figure.add_subplot(lines, columns, number)
        ours = {rater["id"] for rater in results["raters"].values()} | {"spearman", "within bot"}
        for height, (who, value, lo, hi) in enumerate(rows):
            colour = "#1f6f8b" if who in ours else "#8a8a8a"
            axes.plot([lo, hi], [height, height], color=colour, linewidth=1.5)
            axes.plot([value], [height], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(rows)), [who for who, *_ in rows], fontsize=8)
        axes.set_xlim(-0.6, 1.05)
        axes.axvline(0, color="#cccccc", linewidth=0.8, zorder=0)
        axes.set_title(title, fontsize=9, loc="left")
        axes.tick_params(axis="x", labelsize=8)
    figure.supxlabel("quadratic-weighted kappa with the experts' median, or Spearman; 95 % intervals", fontsize=9)
    figure.savefig(path, dpi=110, metadata={"Software": None})
