"""The tables of this folder's README, from its results: ``python table.py smollm2``."""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def interval(estimate: dict[str, Any] | None, digits: int = 2) -> str:
    """``.53 [.41, .66]``; the reason in place of what is missing, a hyphen where nothing is known."""
    reason = (estimate or {}).get("reason", "")
    if not estimate or estimate["mean"] is None:
        return reason or "-"
    mean, low, high = (estimate[key] for key in ("mean", "lo", "hi"))
    limits = reason if low is None or high is None else f"{low:.{digits}f}, {high:.{digits}f}"
    return f"{mean:.{digits}f}{limits and f' [{limits}]'}"


def quarters(by_turn: list[dict[str, float]]) -> list[float]:
    """Means of the four quarters of a curve."""
    values, size = [each["mean"] for each in by_turn], len(by_turn) // 4
    return [sum(values[start : start + size]) / size for start in range(0, 4 * size, size)]


def main(name: str) -> None:
    """Print what ``results/NAME.json`` says."""
    results = json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))
    print("| candidate | adherence by quarter | whole curve | witness | disqualified | retention | holds |")
    print("|---|---|---|---|---|---|---|")
    for candidate, about in results["candidates"].items():
        curve = " ".join(f"{value:.2f}" for value in quarters(about["adherence_by_turn"]))
        replies = sum(about["outcomes"].values())
        stopped = sum(about["disqualified"].values())
        witness = next(iter(about["witnesses"].values()))["adherence"]
        cells = (
            candidate,
            curve,
            interval(about["adherence"]),
            interval(witness),
            f"{stopped} of {replies}",
            interval(about["retention"]),
            about["holding"]["holds"]["verdict"],
        )
        print("|", " | ".join(cells), "|")
    if results["trainings"]:
        by_training(results["trainings"])
    if results["simulators"]:
        by_voice(results["simulators"])
    labels = results["labels"]
    if not labels:
        return
    print("\n| by labels | label-only | rater-only | labels and rater (PPI) |\n|---|---|---|---|")
    for candidate, about in labels["candidates"].items():
        if about["labels"]:
            for what in ("adherence", "retention"):
                print(f"| {candidate}, {what} ({about['labels']} labels) |", " | ".join(methods(about[what])), "|")
    for each in labels["differences"]:
        if all(labels["candidates"][side]["labels"] for side in (each["a"], each["b"])):
            print(f"| {each['a']} minus {each['b']}, {each['metric']} |", " | ".join(methods(each["difference"])), "|")


def by_training(trainings: list[dict[str, Any]]) -> None:
    """Print how an arm that was trained several times differs from the others."""
    print("\n| last quarter | by training | mean, limits by t over trainings |\n|---|---|---|")
    for each in trainings:
        apart = " ".join(f"{value:+.2f}" for value in each["by_training"].values())
        print(f"| {each['arm']} minus {each['against']} | {apart} | {interval(each['difference'])} |")


def by_voice(simulators: dict[str, Any]) -> None:
    """Print each candidate's figures with each simulator's users."""
    print("\n| users | candidate | whole curve | last quarter | retention | holds | course |")
    print("|---|---|---|---|---|---|---|")
    for users, part in simulators.items():
        for candidate, about in part["candidates"].items():
            figures = (interval(about[what]) for what in ("adherence", "adherence_last_quarter", "retention"))
            verdict = about["holds"]
            print("|", " | ".join([users, candidate, *figures, verdict["verdict"], verdict["course"]]), "|")


def methods(by_method: dict[str, dict[str, Any]]) -> list[str]:
    """An interval by each method."""
    return [interval(by_method.get(method)) for method in ("labels only", "rater only", "labels and rater")]


if __name__ == "__main__":
    main(sys.argv[1])
