"""Small valid files of the formats that are only read, as bytes: what the fuzzing breaks."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

TEXTS = (
    "I feel awful.",
    "I am so sorry.",
    "Thanks, that helps.",
    "What worries you the most?",
    "The exam.",
    "Tell me.",
)
ROLES = ("user", "assistant") * 3


def lines(values: list[Any]) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def chats(role: dict[str, str] | None = None, who: str = "role", what: str = "content") -> list[list[dict[str, str]]]:
    """Three conversations of six messages."""
    named = role or {}
    said = [{who: named.get(role, role), what: text} for role, text in zip(ROLES, TEXTS, strict=True)]
    return [said] * 3


def chatgpt() -> bytes:
    chat = {}
    for number, (role, text) in enumerate(zip(ROLES, TEXTS, strict=True)):
        message = {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}, "recipient": "all"}
        parent = f"n{number - 1}" if number else None
        chat[f"n{number}"] = {
            "id": f"n{number}",
            "parent": parent,
            "children": [],
            "message": message | {"metadata": {}},
        }
    return json.dumps([{"id": f"c{n}", "mapping": chat, "current_node": "n5", "title": "t"} for n in range(3)]).encode()


def claude() -> bytes:
    said = [
        {"uuid": f"m{n}", "sender": "assistant" if n % 2 else "human", "text": text, "content": [], "files": []}
        for n, text in enumerate(TEXTS)
    ]
    return json.dumps([{"uuid": f"c{n}", "account": {"uuid": "me"}, "chat_messages": said} for n in range(3)]).encode()


def oasst() -> list[dict[str, Any]]:
    return [
        {"message_id": f"t{tree}m{n}", "parent_id": f"t{tree}m{n - 1}" if n else None, "message_tree_id": f"t{tree}",
         "role": "assistant" if n % 2 else "prompter", "text": text, "rank": n % 3, "user_id": f"u{n}", "lang": "en"}
        for tree in range(3) for n, text in enumerate(TEXTS)
    ]  # fmt: skip


def telegram() -> bytes:
    said = [
        {"id": n, "type": "message", "from": ("Ann", "Bot")[n % 2], "from_id": f"user{n % 2}", "date_unixtime": "1",
         "text": ["I ", {"type": "bold", "text": "feel"}, " awful."] if n == 0 else text}
        for n, text in enumerate(TEXTS)
    ]  # fmt: skip
    return json.dumps({"name": "Bot", "type": "bot_chat", "id": 1, "messages": said}, indent=1).encode()


def whatsapp() -> bytes:
    said = [f"12/31/23, 9:{41 + n} PM - {('Ann', 'Bot')[n % 2]}: {text}\n" for n, text in enumerate(TEXTS)]
    return "".join(["12/31/23, 9:40 PM - Messages are end-to-end encrypted.\n", *said]).encode()


def parquet() -> bytes:
    import pandas

    out = io.BytesIO()
    rows = [{"conversation_id": f"c{n}", "model": "m", "conversation": said} for n, said in enumerate(chats())]
    pandas.DataFrame(rows).to_parquet(out)
    return out.getvalue()


def table() -> str:
    rows = [
        f"c{chat};{role};{text}"
        for chat in range(3)
        for role, text in zip(("user", "assistant") * 3, TEXTS, strict=True)
    ]
    return "\n".join(["conversation;role;text", *rows]) + "\n"


def rows() -> list[dict[str, Any]]:
    return [{"session_id": f"c{chat}", **message} for chat, said in enumerate(chats()) for message in said]


#: Name, whose first word is the format -> bytes.
SAMPLES: dict[str, bytes] = {
    "chatgpt": chatgpt(),
    "claude": claude(),
    "oasst rows": lines(oasst()),
    "telegram": telegram(),
    "whatsapp": whatsapp(),
    "trl": lines([{"prompt": said[:5], "chosen": said[5:], "rejected": said[1:2]} for said in chats()]),
    "ultrachat": lines([{"id": str(n), "data": TEXTS} for n in range(3)]),
    "messages langchain": lines([[{"type": m["role"], "data": {"content": m["content"]}} for m in chats(
        {"user": "human", "assistant": "ai"})[0]]] * 3),
    "messages parquet": parquet(),
    "messages packed": gzip.compress(lines([{"messages": said} for said in chats()])),
    "messages utf-16": lines([{"messages": said} for said in chats()]).decode().encode("utf-16"),
    "csv rows": lines(rows()),
    "csv semicolons": table().encode(),
    "csv utf-16": table().encode("utf-16"),
}  # fmt: skip
#: Who is the assistant, by the format that does not say it.
ASSISTANT = {"telegram": "Bot", "whatsapp": "Bot"}
