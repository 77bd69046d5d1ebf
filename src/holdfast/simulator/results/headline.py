"""What a study found, in one honest sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TITLES = {
    "base": "the base model",
    "system_prompt": "the system prompt",
    "system_prompt_with_reminder": "the system prompt with reminders",
    "adapter": "the adapter",
    "routed": "routed experts",
    "oracle": "experts told the task",
}
_TRAINED = ("rout", "oracle", "expert", "adapter", "lora")


def headline(results: Mapping[str, Any], pair: tuple[str, str] | None = None) -> str:
    """One sentence on two candidates: what each kept of its adherence, and how they differ at the end.

    ``results``: as :func:`holdfast.simulator.results.build.build_results` returns them (None where undefined). ``pair``: the
    candidates to name; by default the trained one (routed experts before others) and the system prompt, and where
    one of these is absent, the baseline or the best of the rest at the end. Every figure comes with its 95 % interval.
    """
    candidates = results["candidates"]
    if not candidates:
        return "Nothing was measured: no conversation has a turn."
    first, second = pair or choose(candidates, results["baseline"])
    opening = _kept(first, candidates[first])
    span = f"of adherence to the empathy pattern from the first to the last quarter of {results['turns']} turns"
    known = candidates[first]["retention"]["mean"] is not None
    sentence = f"{opening} {span}" if known else opening
    if second is None:
        return _sentence(f"{sentence}; in the last quarter it was {_level(candidates[first])}" if known else sentence)
    tail = _kept(second, candidates[second])
    if not known and candidates[second]["retention"]["mean"] is not None:
        tail = f"{tail} {span}"
    return _sentence(f"{sentence}; {tail}; {_difference(results, first, second)}")


def choose(candidates: Mapping[str, Any], baseline: str | None) -> tuple[str, str | None]:
    """(trained, prompted), or the nearest to it that the study has."""
    by_end = sorted(candidates, key=lambda name: (-(candidates[name]["adherence_last_quarter"]["mean"] or 0.0), name))
    trained = [name for part in _TRAINED for name in by_end if part in name.casefold()]
    prompted = [name for name in by_end if "prompt" in name.casefold() and name not in trained]
    prompted.sort(key=lambda name: name != "system_prompt")
    others = [name for name in by_end if name != baseline]
    base = [name for name in (baseline,) if name in candidates]
    first = next(iter([*trained, *others, *by_end]))
    second = next((name for name in [*prompted, *base, *by_end] if name != first), None)
    return first, second


def _title(name: str) -> str:
    return _TITLES.get(name, f"“{name}”")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _kept(name: str, candidate: Mapping[str, Any]) -> str:
    retention = candidate["retention"]
    mean, lo, hi = retention["mean"], retention["lo"], retention["hi"]
    if mean is None:
        why = candidate["notes"].get("retention", "undefined").removeprefix("undefined: ")
        return f"what {_title(name)} kept is undefined ({why})"
    verb = "kept" if round(100 * mean) <= 100 else "rose to" if lo is not None and lo > 1 else "kept"
    limits = "no interval" if lo is None else f"{100 * lo:.0f}, {100 * hi:.0f}"
    return f"{_title(name)} {verb} {100 * mean:.0f} % [{limits}]"


def _level(candidate: Mapping[str, Any]) -> str:
    end = candidate["adherence_last_quarter"]
    return f"{end['mean']:.2f} [{_limits(end)}]"


def _limits(interval: Mapping[str, Any]) -> str:
    return "no interval" if interval["lo"] is None else f"{interval['lo']:.2f}, {interval['hi']:.2f}"


def _difference(results: Mapping[str, Any], first: str, second: str) -> str:
    """How ``first`` and ``second`` differ in the last quarter, before the same users."""
    for row in results["pairwise"]:
        if row["metric"] != "adherence_last_quarter" or {row["a"], row["b"]} != {first, second}:
            continue
        if row["mean"] is None:
            break
        ahead, behind = (first, second) if (row["mean"] >= 0) == (row["a"] == first) else (second, first)
        flip = row["a"] != ahead
        limits = row["lo"], row["hi"]
        lo, hi = (-limits[1], -limits[0]) if flip and limits[0] is not None else limits
        size = f"{abs(row['mean']):.2f} [{'no interval' if lo is None else f'{lo:.2f}, {hi:.2f}'}]"
        if lo is not None and lo > 0:
            return f"in the last quarter {_title(ahead)} adhered more than {_title(behind)}, by {size}"
        return f"in the last quarter their adherence is not shown to differ ({_title(ahead)} higher by {size})"
    return "no user met both in the last quarter, so they cannot be compared there"
