"""How many replies of people and of chat models the gate stops, by reason, and what it costs: run as a script.

``python tests/launch.py tests.agents.raters.gate.stop_rates [DATA]``. It reads texts only, no label; DATA are
other people's data sets.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from zlib import crc32

from holdfast.agents.raters.gate.language import ENGLISH, unknown_language
from holdfast.agents.raters.gate.reading import replies_in
from holdfast.agents.raters.gate.verdict import verdict_of_reply
from holdfast.agents.raters.linear.epitome_pairs import read_pairs
from holdfast.simulator.validation.folder import data_folder
from tests.agents.raters.neutral import REPLIES
from tests.simulator.validation.duo import DUO

Turns = list[tuple[str, str]]
EPITOME = Path("epitome_reddit") / "pairs.csv"
MOCKING = "sarcasm or mockery"  # what some of these were written as
CHATS = {"duo": DUO, "esconv": Path("esconv_failed") / "conversations.jsonl"}


def epitome(data: Path, *, chosen: bool) -> Iterator[Turns]:
    """The pairs by whose texts thresholds were chosen (two thirds, by post), or the others."""
    for pair in read_pairs(data / EPITOME):
        if (crc32(pair.post_id.encode()) % 3 > 0) == chosen:
            yield [(pair.post, pair.reply)]


def assistants(*, mocking: bool) -> Iterator[Turns]:
    """The replies in ``examples/assistant_replies`` that were written to mock, or the others."""
    for line in REPLIES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if (row["kind"] == MOCKING) == mocking:
            yield [(row["messages"][-1]["content"], row["reply"])]


def chats(path: Path) -> Iterator[Turns]:
    """Dialogues as turns: messages of one speaker in a row are joined, what comes before the first user is left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        turns: Turns = []
        for message in json.loads(line)["messages"]:
            role, text = message["role"], message.get("content") or message.get("text") or ""
            if role in ("user", "seeker"):
                if turns and not turns[-1][1]:
                    text = f"{turns.pop()[0]}\n{text}"
                turns.append((text, ""))
            elif turns:
                user, reply = turns[-1]
                turns[-1] = (user, f"{reply}\n{text}" if reply else text)
        yield [turn for turn in turns if turn[1]]


def stopped(conversations: Iterator[Turns]) -> tuple[int, Counter[str]]:
    """Replies in all, and those that are disqualified or in another language, by reason."""
    replies = [reply for turns in conversations for reply in replies_in(turns)]
    reasons = Counter[str]()
    for reply in replies:
        verdict = verdict_of_reply(reply)
        reason = verdict.failure if verdict else unknown_language(reply, ENGLISH)
        reasons[reason] += bool(reason)
    return len(replies), +reasons


def microseconds(times: int = 5) -> float:
    """What the gate costs a reply of up to 600 characters in talks of twelve turns: the least of a few ``times``.

    A number is added to each text, so that none was read before.
    """
    exchanges = [turns[0] for turns in assistants(mocking=False) if len(turns[0][1]) < 600][:720]
    costs = []
    for each in range(times):
        talks = [
            [(f"{user} {each}", f"{reply} {each}") for user, reply in exchanges[n : n + 12]] for n in range(0, 720, 12)
        ]
        replies = [reply for talk in talks for reply in replies_in(talk)]
        start = process_time()
        for reply in replies:
            if verdict_of_reply(reply) is None:
                unknown_language(reply, ENGLISH)
        costs.append((process_time() - start) / len(replies))
    return 1e6 * min(costs)


def main(data: Path) -> None:
    """Print the table."""
    sets = {
        "EPITOME, thresholds chosen on it": epitome(data, chosen=True),
        "EPITOME, the other posts": epitome(data, chosen=False),
    }
    sets |= {
        "assistants' replies, written to mock": assistants(mocking=True),
        "assistants' replies, the others": assistants(mocking=False),
    }
    sets |= {name: chats(data / path) for name, path in CHATS.items() if (data / path).exists()}
    for name, conversations in sets.items():
        total, reasons = stopped(conversations)
        listed = ", ".join(f"{n} x {reason}" for reason, n in reasons.most_common())
        print(f"{name}: {reasons.total()} of {total} replies, {reasons.total() / total:.2%} ({listed})")
    print(f"the gate takes {microseconds():.0f} us a reply")


if __name__ == "__main__":
    main(data_folder(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
