"""Reports of iEval, ESConv and SAGE, where their data are: ``python run.py [OUT] [--figures]``."""

import os
import sys
from pathlib import Path

from holdfast import measure
from holdfast.simulator.logs.model import LogResults

HERE = Path(__file__).parent
DATA = Path(os.environ.get("HOLDFAST_DATA") or HERE.parents[2] / "shared" / "data")
SETS = {  # name: (file, format, columns to group by; None: the usual ones)
    "ieval": ("ieval/conversations.csv", "ieval", None),
    "esconv": ("esconv_failed/conversations.jsonl", "esconv", ()),
    "sage": ("sage_trajectories/turns.csv", "sage", None),
}


def main(out: Path) -> dict[str, LogResults]:
    """A report of each data set that is there, without a word of its text; the results by name."""
    measured = {}
    for name, (file, word, by) in SETS.items():
        if not (DATA / file).exists():
            print(f"{name}: no {DATA / file}; get it from its authors and set HOLDFAST_DATA")
            continue
        results = measure([DATA / file], out / name, format=word, by=by)
        print(f"{name}: {results.conversations} conversations, {results.turns} turns, {out / name / 'report.html'}")
        measured[name] = results
    return measured


def figure(measured: dict[str, LogResults], path: Path) -> None:
    """One small picture of the three, by turn, where at least 20 conversations are left."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = (
        ("ieval", "expressed", "iEval: expressed empathy (0-2)"),
        ("esconv", "expressed", "ESConv, failed: expressed empathy (0-2)"),
        ("sage", "emotion", "SAGE: simulated emotion (0-100)"),
    )
    drawn, axes = plt.subplots(1, 3, figsize=(11, 3.1), layout="constrained")
    for axis, (name, scale, title) in zip(axes, panels, strict=True):
        for group, figures in measured[name].groups.items():
            rows = [row for row in figures.measures[scale].by_turn if row.n >= 20 and row.lo is not None]
            turns = [row.turn for row in rows]
            (line,) = axis.plot(turns, [row.mean for row in rows], lw=1.4, label=group[:30])
            low, high = [row.lo for row in rows], [row.hi for row in rows]
            axis.fill_between(turns, low, high, color=line.get_color(), alpha=0.12, lw=0)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("turn", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
        if len(measured[name].groups) > 1:
            axis.legend(fontsize=5, frameon=False, ncols=2)
    drawn.savefig(path, dpi=110)


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--figures"]
    everything = main(Path(arguments[0]) if arguments else Path("runs/real_conversations"))
    if "--figures" in sys.argv and len(everything) == len(SETS):
        figure(everything, HERE / "curves.png")
