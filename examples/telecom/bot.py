"""A help desk's bot: a plain function, and the same behind an address (``uvicorn bot:app --port 8000``)."""

from collections.abc import Mapping, Sequence
from typing import Any

STEPS = {
    "light": "Please look at the router: which lights are on, and is one of them red?",
    "router": "First pull the router's plug, wait half a minute, and put it back in.",
    "technician": "I can book a technician for tomorrow between 9 and 12.",
    "bill": "I have written three days back onto your next bill.",
    "cable": "Check the cable at the back: it must click on both sides.",
    "contract": "Your contract runs for a year and ends by itself.",
}


def reply(conversation: str, history: Sequence[Mapping[str, str]], message: str) -> Mapping[str, Any]:
    """Answer by the first word that it knows; tell the ticket, and what it looked up."""
    words = message.lower()
    known = next((step for word, step in STEPS.items() if word in words), "Tell me what the router shows.")
    met = "I am sorry that the line is down." if not history else "I can see why that is a nuisance."
    turn = len(history) // 2 + 1
    lookup = {"name": "line_status", "arguments": {"customer": conversation}}
    return {"messages": [met, known], "tool_calls": [lookup], "keep": {"ticket": conversation[:6], "turn": turn}}


try:
    from fastapi import FastAPI
except ImportError:  # the function needs no server
    app = None
else:
    app = FastAPI()

    @app.post("/reply")
    def answer(turn: dict[str, Any]) -> Mapping[str, Any]:
        """Answer one turn as holdfast sends it."""
        return reply(turn["conversation"], turn["history"], turn["message"])
