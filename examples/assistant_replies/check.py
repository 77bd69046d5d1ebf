"""What the labelled replies are worth: ``python examples/assistant_replies/check.py [DATA]``.

Prints counts, repeated frames and near-duplicates, how far two passes of the labeller agree, and, where DATA (or
``../shared/data``) holds EPITOME, how far the labeller agrees with the people who labelled that.
"""

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

from holdfast.agents.raters.agreement import quadratic_weighted_kappa

HERE = Path(__file__).parent
SHORT = {"emotional_reaction": "ER", "interpretation": "IP", "exploration": "EX"}


def words(text: str) -> list[str]:
    """Lower-case words."""
    return re.findall(r"[a-z']+", text.lower())


def pairs_of_words(text: str) -> set[tuple[str, str]]:
    """Neighbouring words."""
    return set(zip(words(text), words(text)[1:], strict=False))


def repeated(replies: list[str]) -> tuple[int, int]:
    """How many sentences of four words or more stand in over three replies; how many replies nearly repeat another."""
    sentences = Counter(
        " ".join(words(part)) for reply in replies for part in re.split(r"(?<=[.!?])\s+", reply) if len(words(part)) > 3
    )
    near, seen = 0, list[set[tuple[str, str]]]()
    for reply in replies:
        own = pairs_of_words(reply)
        near += len(own) > 3 and any(len(own & other) > 0.6 * min(len(own), len(other)) for other in seen)
        seen += [own] if len(own) > 3 else []
    return sum(count > 3 for count in sentences.values()), near


def main(data: Path) -> None:
    """Print everything."""
    lines = [json.loads(line) for line in (HERE / "replies.jsonl").read_text(encoding="utf-8").splitlines()]
    print(f"{len(lines)} replies to {len({line['context'] for line in lines})} contexts")
    for writer, count in sorted(Counter(line["writer"] for line in lines).items()):
        print(f"  {count:5} {writer}")
    for kind, generated in (("written", False), ("generated", True)):
        replies = [line["reply"] for line in lines if line["writer"].startswith("model:") == generated]
        sentences, near = repeated(replies)
        print(
            f"{len(replies)} {kind} ones: {sentences} sentences in more than three replies, "
            f"{near} replies nearly repeat another"
        )
    latest = [line for line in lines if line["context"].startswith("M")]
    for told, group in (("", lines), (", second sitting alone", latest)):
        print(f"two passes of the labeller{told} (quadratic-weighted kappa; levels 0 / 1 / 2 of the first):")
        for name in SHORT:
            first, second = ([line["levels"][each][name] for line in group] for each in (0, 1))
            levels = " / ".join(str(first.count(level)) for level in (0, 1, 2))
            print(f"  {name:20} {quadratic_weighted_kappa(first, second):.2f}  {levels}")
    table = data / "epitome_reddit" / "pairs.csv"
    if not table.exists():
        print(f"{table}: absent, so the labeller is not held against people here")
        return
    csv.field_size_limit(1 << 30)
    with table.open(encoding="utf-8", newline="") as file:
        people = {(row["sp_id"], row["rp_id"]): row for row in csv.DictReader(file)}
    judged = [json.loads(line) for line in (HERE / "labeller_on_epitome.jsonl").read_text().splitlines()]
    sittings = sorted({row["sitting"] for row in judged})
    print(f"the labeller against people, on EPITOME's replies that it labelled blind, in sittings {sittings}:")
    for name, short in SHORT.items():
        kappas = []
        for sitting in sittings:
            rows = [row for row in judged if row["sitting"] == sitting]
            theirs = [int(people[row["sp_id"], row["rp_id"]][f"{short}_level"]) for row in rows]
            kappas.append(f"{quadratic_weighted_kappa([row[short] for row in rows], theirs):.2f} of {len(rows)}")
        print(f"  {name:20} {', '.join(kappas)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1] / ".." / "shared" / "data")
