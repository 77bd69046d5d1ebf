"""What neutral sentences after a reply do to its levels: ``python tests/launch.py tests.agents.raters.neutral``.

Sixty sentences of plain advice and fact, none of which says anything about a person. Forty were open while the raters'
way of pooling sentences was chosen, twenty were kept and first asked about when the weights were frozen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater
from holdfast.simulator.measure.arrays import Floats

REPLIES = Path(__file__).resolve().parents[3] / "examples" / "assistant_replies" / "replies.jsonl"
COUNTS = (1, 5, 20)  # sentences that follow a reply, the last ones of a set
OPEN = (
    "Open the settings and choose the second tab.",
    "A short list on paper helps to keep track of the steps.",
    "The form has to be sent before the end of the month.",
    "You can ask the desk on the ground floor for a copy.",
    "Water the plant once a week and keep it away from the heater.",
    "It is best to write down the date, the time and the name of the person.",
    "If the light stays red, unplug the cable and wait for ten seconds.",
    "Most shops take a return within thirty days with the receipt.",
    "Put the smaller tasks first and leave the longest one for the morning.",
    "The bus runs every twenty minutes until eleven.",
    "Save the file under another name before you change it.",
    "Check the spelling of the address on both pages.",
    "A second opinion from another clinic usually takes two weeks.",
    "Divide the total by the number of guests and round it up.",
    "Keep the lid on for the last five minutes.",
    "Use the blue bin for paper and the green one for glass.",
    "There is a link to the rules at the bottom of the page.",
    "Turn the key to the left until it clicks.",
    "Compare at least three offers and read the small print of each.",
    "The library lends laptops for up to four hours.",
    "Restart the router and run the test again.",
    "Take the tablets with food and a glass of water.",
    "You will need the reference number from the top of the letter.",
    "Plan one meal for each day and shop with a list.",
    "The office is closed on public holidays.",
    "Set an alarm for the same hour every morning.",
    "Try to send the complaint in writing and keep a copy of it.",
    "Measure the width of the door before ordering.",
    "Sort the data by the first column, then remove the empty rows.",
    "An accountant can tell which of the two forms applies.",
    "Cut the onions finely and fry them until they are golden.",
    "Many banks let customers block a card in the app.",
    "Bring two photographs and a proof of address to the appointment.",
    "If nothing changes after a day, call the number on the back of the card.",
    "Leave the paint to dry overnight before the second coat.",
    "One option is to split the payment into four parts.",
    "Walk to the end of the road and turn right at the church.",
    "The warranty covers parts for two years.",
    "Read each question twice and answer the easy ones first.",
    "Charge the battery fully before the first use.",
)
KEPT = (
    "Put the receipts into the envelope and write the month on it.",
    "The lift is behind the glass door on your left.",
    "Two eggs can be replaced by one mashed banana.",
    "Click on the three dots and choose the option to export.",
    "Trains to the coast leave from platform nine on the hour.",
    "A tent for four people weighs about six kilos.",
    "Ask the seller for the date of the last service.",
    "Press the pedal twice to release the brake.",
    "The vaccine needs two weeks before it works fully.",
    "Sand the shelf lightly and wipe the dust off.",
    "Every member of the club pays the fee in March.",
    "You could sort the letters by date and throw away the doubles.",
    "Heat the oven to two hundred degrees.",
    "The report is due on Wednesday at noon.",
    "Follow the path through the wood until you reach the gate.",
    "Loans above ten thousand need the signature of a second person.",
    "It helps to read the contract from the last page backwards.",
    "Clean the filter under warm water once a month.",
    "Most phones show the model number under the battery.",
    "Let the dough rest for an hour in a warm place.",
)


def replies(count: int = 200) -> list[Passage]:
    """So many labelled replies of assistants, evenly from the whole file."""
    lines = [json.loads(line) for line in REPLIES.read_text(encoding="utf-8").splitlines()]
    chosen = [lines[int(number)] for number in np.linspace(0, len(lines) - 1, count)]
    return [
        Passage(
            (
                *(Message(each["role"], each["content"]) for each in line["messages"]),
                Message("assistant", line["reply"]),
            )
        )
        for line in chosen
    ]


def followed_by(passage: Passage, sentences: tuple[str, ...]) -> Passage:
    """The passage, its reply with ``sentences`` after it."""
    *before, reply = passage.messages
    end = "" if reply.content.rstrip()[-1:] in ".!?" else "."
    return Passage((*before, Message("assistant", " ".join((reply.content.rstrip() + end, *sentences)))))


async def movements(rater: Rater, passages: list[Passage], sentences: tuple[str, ...]) -> Floats:
    """(n, 3): how far each level moves, signed, when ``sentences`` follow; nan where a reply is unrated."""
    before = await rater.rate([followed_by(passage, ()) for passage in passages])
    after = await rater.rate([followed_by(passage, sentences) for passage in passages])
    levels = [[rating.levels(EXPRESSED.dimensions) for rating in ratings] for ratings in (before, after)]
    return np.asarray(np.array(levels[1]) - np.array(levels[0]))


async def main(words: list[str]) -> None:
    """Print, for each rater that ``words`` name, the largest and the mean movement by mechanism."""
    from holdfast.adapters.micro import base_path
    from holdfast.agents.raters.gate.rater import ungated
    from holdfast.agents.raters.registry import open_raters, parse_rater

    for name, gated in open_raters([parse_rater(word) for word in words], base_path()).items():
        for title, sentences in (("open", OPEN), ("kept", KEPT)):
            for count in COUNTS:
                moved = np.abs(await movements(ungated(gated), replies(), sentences[-count:]))
                told = "; ".join(
                    f"{mechanism.replace('_', ' ')} {np.nanmax(column):.2f} ({np.nanmean(column):.3f}, "
                    f"{np.nanmean(column > 0.2):.1%} over .2)"
                    for mechanism, column in zip(EXPRESSED.dimensions, moved.T, strict=True)
                )
                print(f"{name:14} {title} {count:2}: most (mean, share) {told}")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main(sys.argv[1:] or ["linear", "linear_peers", "encoder"]))
