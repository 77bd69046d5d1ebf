"""What the scripted server says: words that follow from the request alone, whatever happened on the way to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

Body = Mapping[str, Any]
Answer = Callable[[Body], str]

#: Of different empathy, so that a rater has something to tell apart.
SENTENCES = (
    "I am so sorry that you are going through this.",
    "That sounds exhausting, and I am glad that you told me.",
    "It makes sense that you feel torn about it.",
    "I have felt the same way before a long week.",
    "What part of it worries you the most?",
    "How did that make you feel when it happened?",
    "Try to split the work into smaller steps.",
    "Write down the three things that matter most.",
    "Send the draft to one colleague first.",
    "The usual way is to start with the easiest task.",
)

#: What an answer may depend on; a client may send more.
FIELDS = ("model", "messages", "seed", "temperature", "top_p", "max_tokens")


def digest(body: Body) -> bytes:
    """SHA-256 of what an answer may depend on."""
    kept = {field: body.get(field) for field in FIELDS}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).digest()


def scripted(body: Body) -> str:
    """Two sentences, chosen by the hash of the request."""
    return sentences(digest(body))


def sentences(hashed: bytes) -> str:
    """The two that this hash chooses."""
    first, second = hashed[:2]
    return f"{SENTENCES[first % len(SENTENCES)]} {SENTENCES[second % len(SENTENCES)]}"


def completion(body: Body, text: str, hashed: bytes) -> dict[str, Any]:
    """A whole ``chat.completion`` object that says ``text``. A token is a word; ``max_tokens`` cuts the answer.

    ``hashed``: the request's :func:`digest`.
    """
    words = text.split(" ")
    limit = int(body.get("max_tokens") or body.get("max_completion_tokens") or len(words))
    said = words[:limit]
    asked = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
    return {
        "id": f"chatcmpl-{hashed.hex()[:16]}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": " ".join(said)},
                "finish_reason": "stop" if len(said) == len(words) else "length",
            }
        ],
        "usage": {"prompt_tokens": asked, "completion_tokens": len(said), "total_tokens": asked + len(said)},
    }
