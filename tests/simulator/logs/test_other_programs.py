"""The layouts that other programs write, each as its export looks: who says what, and what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import InputError
from holdfast.simulator.logs.registry import recognise
from tests.simulator.logs.conftest import read

TALK = [("user", "I feel awful."), ("assistant", "I am so sorry."), ("user", "Thanks."), ("assistant", "Any time.")]
MESSAGES = [{"role": role, "content": text} for role, text in TALK]


def said(conversation: Any) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in conversation.messages]


def written(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def read_as(word: str, path: Path, **how: str) -> tuple[Any, list[Any]]:
    """Read a file that must be recognised as ``word``."""
    assert recognise(path).word == word
    return read(word, path, **how)


def node(name: str, parent: str | None, role: str, content: Any, **more: Any) -> dict[str, Any]:
    message = {"id": name, "author": {"role": role, "name": None, "metadata": {}}, "content": content, "weight": 1.0}
    message |= {"metadata": {}, "recipient": "all", "status": "finished_successfully", **more}
    return {"id": name, "message": message, "parent": parent, "children": []}


def texts(text: str) -> dict[str, Any]:
    return {"content_type": "text", "parts": [text]}


def test_chatgpt_follows_the_current_branch(tmp_path):
    """A greeting that was edited, a search, thoughts, an image, and a hidden message."""
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    model = {"metadata": {"model_slug": "gpt-4o"}}
    nodes = [
        {"id": "root", "message": None, "parent": None, "children": ["s", "old"]},
        node("s", "root", "system", texts(""), **hidden),
        node("old", "s", "user", texts("I feel aweful.")),
        node("old2", "old", "assistant", texts("What is aweful?"), **model),
        node("u1", "s", "user", {"content_type": "multimodal_text", "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}, "I feel awful."]}),
        node("t", "u1", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]}),
        node("call", "t", "assistant", {"content_type": "code", "text": 'search("sad")'}, recipient="web"),
        node("out", "call", "tool", {"content_type": "execution_output", "text": "42"}),
        node("a1", "out", "assistant", texts("I am so sorry."), **model),
        node("u2", "a1", "user", texts("Thanks.")),
        node("a2", "u2", "assistant", texts("Any time."), **model),
    ]  # fmt: skip
    chat = {"title": "t", "create_time": 1.7e9, "mapping": {each["id"]: each for each in nodes}, "current_node": "a2"}
    path = written(tmp_path / "conversations.json", [{**chat, "conversation_id": "x1"}])
    (conversation,), skips = read_as("chatgpt", path)
    assert [pair for pair in said(conversation) if pair[1]] == TALK
    assert (conversation.id, conversation.columns) == ("x1", {"model": "gpt-4o"})
    assert [(skip.kind, skip.reason.split(",")[0]) for skip in skips] == [
        ("branch", "another branch of the conversation")
    ]
    from holdfast.simulator.logs.turns import turns_of

    turns = turns_of(conversation.messages).turns
    assert [(turn.reply, turn.missing, turn.thoughts) for turn in turns] == [
        ("I am so sorry.", "", True),
        ("Any time.", "", False),
    ]


def test_a_chatgpt_chat_whose_branch_is_unknown_is_left_out(tmp_path):
    nodes = [node("u", None, "user", texts("Hi.")), node("a", "u", "assistant", texts("A.")),
             node("b", "u", "assistant", texts("B."))]  # fmt: skip
    mapping = {each["id"]: each for each in nodes}
    circle = {"u": {**nodes[0], "parent": "a"}, "a": nodes[1]}
    chats = [{"id": "1", "mapping": mapping}, {"id": "2", "mapping": mapping, "current_node": "b"},
             {"id": "3", "mapping": circle, "current_node": "a"}]  # fmt: skip
    (conversation,), skips = read_as("chatgpt", written(tmp_path / "c.json", chats))
    assert said(conversation) == [("user", "Hi."), ("assistant", "B.")]
    reasons = [skip.reason for skip in skips if skip.kind == "conversation"]
    assert reasons == ["left out: its current branch cannot be followed"] * 2


def claude(name: str, sender: str, text: str, **more: Any) -> dict[str, Any]:
    return {"uuid": name, "text": text, "content": [{"type": "text", "text": text}], "sender": sender,
            "attachments": [], "files": [], **more}  # fmt: skip


def test_claude(tmp_path):
    thinking = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I am so sorry."}]
    messages = [claude("1", "human", "I feel awful."), claude("2", "assistant", "x", content=thinking),
                claude("3", "human", "", files=[{"file_name": "a.png"}], content=[]),
                claude("4", "assistant", "Any time.", content=[])]  # fmt: skip
    chats = [{"uuid": "c1", "name": "n", "account": {"uuid": "me"}, "chat_messages": messages},
             {"uuid": "c2", "name": "", "account": {"uuid": "me"}, "chat_messages": []}]  # fmt: skip
    (conversation,), (skip,) = read_as("claude", written(tmp_path / "conversations.json", chats))
    assert said(conversation) == [TALK[0], TALK[1], ("user", ""), TALK[3]]
    assert conversation.messages[1].thoughts == "Hm."
    assert skip.reason == "no messages"


def test_claude_follows_the_last_branch(tmp_path):
    def with_parent(parent: str, *message: str) -> dict[str, Any]:
        return claude(*message, parent_message_uuid=parent)

    root = "00000000-0000-4000-8000-000000000000"
    messages = [with_parent(root, "1", "human", "I feel aweful."), with_parent("1", "2", "assistant", "What?"),
                with_parent(root, "3", "human", "I feel awful."),
                with_parent("3", "4", "assistant", "I am so sorry.")]  # fmt: skip
    chat = {"uuid": "c", "chat_messages": messages}
    (conversation,), (skip,) = read_as("claude", written(tmp_path / "c.json", [chat]))
    assert said(conversation) == TALK[:2]
    assert skip.kind == "branch"
    (conversation,), _ = read("claude", written(tmp_path / "d.json", [{**chat, "current_leaf_message_uuid": "2"}]))
    assert said(conversation) == [("user", "I feel aweful."), ("assistant", "What?")]


def oasst(name: str, parent: str | None, role: str, text: str, rank: int | None = None) -> dict[str, Any]:
    return {"message_id": name, "parent_id": parent, "message_tree_id": "a", "user_id": f"u-{role}", "role": role,
            "text": text, "rank": rank, "lang": "en", "deleted": False}  # fmt: skip


OASST = [oasst("a", None, "prompter", "I feel awful."), oasst("b", "a", "assistant", "Make a list.", 1),
         oasst("c", "a", "assistant", "I am so sorry.", 0), oasst("d", "c", "prompter", "Thanks.", 0),
         oasst("e", "d", "assistant", "Any time."), oasst("f", "b", "prompter", "No.")]  # fmt: skip


def test_oasst_takes_the_best_ranked_path(tmp_path):
    def tree(name: str) -> dict[str, Any]:
        message = next(each for each in OASST if each["message_id"] == name)
        return message | {"replies": [tree(each["message_id"]) for each in OASST if each["parent_id"] == name]}

    trees = written(tmp_path / "t.jsonl", json.dumps({"message_tree_id": "a", "prompt": tree("a")}) + "\n")
    flat = written(tmp_path / "f.jsonl", "".join(json.dumps(each) + "\n" for each in reversed(OASST)))
    for path in (trees, flat):
        (conversation,), skips = read_as("oasst", path)
        assert said(conversation) == TALK
        assert (conversation.id, conversation.speaker, conversation.columns) == ("a", "u-prompter", {"lang": "en"})
        assert [skip.kind for skip in skips] == ["branch"]


def test_oasst_as_parquet_and_with_a_lost_root(tmp_path):
    import pandas

    pandas.DataFrame(OASST).to_parquet(tmp_path / "o.parquet")
    (conversation,), _ = read_as("oasst", tmp_path / "o.parquet")
    assert said(conversation) == TALK
    rest = written(tmp_path / "r.jsonl", "".join(json.dumps(each) + "\n" for each in OASST[1:]))
    conversations, (skip,) = read("oasst", rest)
    assert (conversations, skip.reason) == ([], "left out: its tree has not one root")


LANGCHAIN = {
    "messages_to_dict": lambda role, text: {"type": role, "data": {"content": text, "type": role, "id": None}},
    "dumpd": lambda role, text: {
        "lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", f"{role.upper()}Message"
        if role == "ai" else "HumanMessage"], "kwargs": {"content": text, "type": role}},
    "model_dump": lambda role, text: {"content": text, "additional_kwargs": {}, "type": role, "name": None},
}  # fmt: skip


@pytest.mark.parametrize("shape", LANGCHAIN)
def test_langchain(shape, tmp_path):
    names = {"user": "human", "assistant": "ai"}
    listed = [LANGCHAIN[shape](names[role], text) for role, text in TALK]
    for number, value in enumerate((listed, {"session_id": "s", "messages": listed})):
        (conversation,), skips = read_as("messages", written(tmp_path / f"{number}.json", value))
        assert (said(conversation), skips) == (TALK, [])
    rows = [{"id": n, "session_id": "s", "message": json.dumps(each)} for n, each in enumerate(listed)]
    (conversation,), skips = read_as("csv", written(tmp_path / "r.jsonl", "\n".join(map(json.dumps, rows))))
    assert (conversation.id, said(conversation), skips) == ("s", TALK, [])


def test_trl_rows(tmp_path):
    chat = [{"role": role, "content": text} for role, text in TALK]
    rows = [
        {"prompt": "I feel awful.", "completion": "I am so sorry."},
        {"prompt": chat[:1], "completion": chat[1:2]},
        {"prompt": chat[:3], "chosen": chat[3:], "rejected": [{"role": "assistant", "content": "No."}]},
        {"prompt": "I feel awful.", "chosen": "I am so sorry.", "rejected": "No.", "score_chosen": 0.5},
        {"chosen": chat, "rejected": chat[:1]},
        {"prompt": "I feel awful.", "chosen": chat[:2], "rejected": chat[:1]},
        {"chosen": "\n\nHuman: I feel awful.\n\nAssistant: I am so sorry.", "rejected": "\n\nHuman: x\n\nAssistant: y"},
        {"chosen": "text without marks", "rejected": "y"},
    ]
    path = written(tmp_path / "r.jsonl", "\n".join(map(json.dumps, rows)))
    conversations, (skip,) = read_as("trl", path)
    assert [said(each) for each in conversations] == [TALK[:2], TALK[:2], TALK, TALK[:2], TALK, TALK[:2], TALK[:2]]
    assert conversations[3].columns == {"score_chosen": "0.5"}
    assert skip.reason == "left out: not a message"


def test_ultrachat_lmsys_wildchat_and_gemini(tmp_path):
    import pandas

    ultra = {"id": "7", "data": [text for _, text in TALK]}
    (conversation,), _ = read_as("ultrachat", written(tmp_path / "u.jsonl", json.dumps(ultra)))
    assert (conversation.id, said(conversation)) == ("7", TALK)
    chat = [{"content": text, "role": role} for role, text in TALK]
    lmsys = {"conversation_id": "l1", "model": "vicuna-13b", "conversation": chat, "turn": 2, "language": "English"}
    wild = {"conversation_hash": "w1", "model": "gpt-4", "conversation": [
        {**each, "language": "English", "toxic": False, "hashed_ip": None, "turn_identifier": 1} for each in chat],
        "hashed_ip": "abc", "timestamp": pandas.Timestamp("2024-01-01", tz="UTC")}  # fmt: skip
    for name, row, speaker in (("l1", lmsys, ""), ("w1", wild, "abc")):
        pandas.DataFrame([row]).to_parquet(tmp_path / f"{name}.parquet")
        (conversation,), skips = read_as("messages", tmp_path / f"{name}.parquet")
        assert (conversation.id, said(conversation), skips) == (name, TALK, [])
        assert (conversation.speaker, conversation.columns["model"]) == (speaker, row["model"])
    parts = [{"role": {"assistant": "model"}.get(role, role), "parts": [{"text": text}]} for role, text in TALK]
    (conversation,), _ = read_as("messages", written(tmp_path / "g.json", {"contents": parts}))
    assert said(conversation) == TALK


def telegram(number: int, who: str, text: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "type": "message", "date": "2024-01-01T00:00:00", "date_unixtime": "1704067200",
            "from": who, "from_id": f"user{who}", "text": text, **more}  # fmt: skip


def test_telegram(tmp_path):
    bold = ["I feel ", {"type": "bold", "text": "awful"}, "."]
    messages = [{"id": 0, "type": "service", "actor": "Ann", "action": "phone_call", "text": ""},
                telegram(1, "Ann", bold), telegram(2, "Helper", "I am so sorry."), telegram(3, "Ann", "Thanks."),
                telegram(4, "Ann", "", photo="(File not included)"), telegram(5, "Helper", "Any time.")]  # fmt: skip
    chat = {"name": "Helper", "type": "bot_chat", "id": 99, "messages": messages}
    path = written(tmp_path / "result.json", chat)
    assert recognise(path).word == "telegram"
    with pytest.raises(InputError, match=r"--assistant NAME \(who speaks: 'Ann' \(3\), 'Helper' \(2\)\)"):
        read("telegram", path)
    with pytest.raises(InputError, match=r"'Helfer' does not speak; did you mean 'Helper'"):
        read("telegram", path, assistant="Helfer")
    (conversation,), skips = read("telegram", path, assistant="Helper")
    assert [pair for pair in said(conversation) if pair[1]] == TALK
    assert (conversation.id, conversation.speaker, skips) == ("99", "userAnn", [])
    third = {"name": "G", "type": "private_group", "id": 7, "messages": [*messages, telegram(6, "Bob", "Hi.")]}
    every = written(tmp_path / "all.json", {"about": "x", "chats": {"about": "y", "list": [chat, third]}})
    (conversation,), (skip,) = read_as("telegram", every, assistant="userHelper")
    assert conversation.id == "99"
    assert skip.reason == "left out: more than one person talks with the assistant"


WHATSAPP = {
    "android": (
        "12/31/23, 9:41 PM - Messages and calls are end-to-end encrypted. No one outside can read them.\n"
        "12/31/23, 9:41 PM - Ann: I feel awful.\n12/31/23, 9:42\u202fPM - +49 170 1: I am\nso sorry.\n"
        "12/31/23, 9:42 PM - Ann: <Media omitted>\n12/31/23, 9:43 PM - Ann: Thanks.\n"
        "12/31/23, 9:44 PM - +49 170 1: Any time. <This message was edited>\n"
    ),
    "iphone": (
        "[31.12.23, 21:41:05] Ann: \u200eMessages and calls are end-to-end encrypted.\n"
        "[31.12.23, 21:41:05] Ann: I feel awful.\n"
        "[31.12.23, 21:42:05] +49 170 1: I am\nso sorry.\n\u200e[31.12.23, 21:43:05] Ann: \u200eimage omitted\n"
        "[31.12.23, 21:43:05] Ann: Thanks.\n[31.12.23, 21:44:05] +49 170 1: Any time.\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", WHATSAPP)
def test_whatsapp(style, tmp_path):
    path = written(
        tmp_path / "WhatsApp Chat with Ann.txt", WHATSAPP[style].replace("\n", "\r\n" if style == "iphone" else "\n")
    )
    with pytest.raises(InputError, match=r"names people and no roles.*'Ann' \(3\), '\+49 170 1' \(2\)"):
        read("whatsapp", path)
    (conversation,), skips = read_as("whatsapp", path, assistant="+49 170 1")
    pairs = [(role, text.replace("\r", "")) for role, text in said(conversation) if text]
    assert pairs == [TALK[0], ("assistant", "I am\nso sorry."), *TALK[2:]]
    assert (conversation.speaker, skips) == ("Ann", [])


def test_an_export_of_ours(tmp_path):
    """The two shapes of ``holdfast export``: conversations, and turns."""
    import pandas

    about = {"episode": "e/1", "candidate": "base", "persona": "ann", "agent": None, "error": None}
    pandas.DataFrame([{**about, "messages": MESSAGES}]).to_parquet(tmp_path / "c.parquet")
    turns = [
        {**about, "turn": turn + 1, "user": TALK[2 * turn][1], "reply": TALK[2 * turn + 1][1]} for turn in range(2)
    ]
    pandas.DataFrame(turns).to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, turns)))
    for name, word in (("c.parquet", "messages"), ("t.parquet", "csv"), ("t.jsonl", "csv")):
        (conversation,), skips = read_as(word, tmp_path / name)
        assert (said(conversation), conversation.columns["candidate"], skips) == (TALK, "base", [])
        assert (conversation.id, conversation.speaker) == ("e/1", "ann")


@pytest.mark.parametrize(
    ("word", "rows"),
    [
        ("messages", [{"id": "c1", "persona": "a kind tutor", "messages": MESSAGES}]),
        ("messages", [{"id": "c1", "persona": {"name": "Liam"}, "messages": MESSAGES}]),
        ("messages", [{"id": "c1", "messages": [{**message, "persona": "a kind tutor"} for message in MESSAGES]}]),
        ("messages", [{"id": "c1", "metadata": {"persona": "a kind tutor"}, "messages": MESSAGES}]),
        ("trl", [{"id": "c1", "persona": "a kind tutor", "prompt": MESSAGES[:3], "completion": MESSAGES[3:]}]),
        ("csv", [{"conversation_id": "c1", "persona": "a kind tutor", **message} for message in MESSAGES]),
    ],
)
def test_a_persona_of_another_program_is_not_who_the_user_is(word, rows, tmp_path):
    """It is as often the assistant's: all conversations of one tutor would be one person's."""
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (conversation,), skips = read_as(word, tmp_path / "log.jsonl")
    assert (said(conversation), conversation.id, conversation.speaker, skips) == (TALK, "c1", "", [])
    if any(row.get("persona") == "a kind tutor" for row in rows):
        assert conversation.columns["persona"] == "a kind tutor"  # to group by
    if word == "csv":
        (conversation,), _ = read("csv", tmp_path / "log.jsonl", columns={"speaker": "persona"})
        assert conversation.speaker == "a kind tutor"


@pytest.mark.parametrize("key", ["data", "conversations", "results", None])
def test_conversations_in_a_wrapper(key, tmp_path):
    chat = [{"role": role, "content": text} for role, text in TALK]
    named: Any = {"c1": {"messages": chat}, "c2": chat}
    listed: Any = [{"id": "c1", "messages": chat}, {"id": "c2", "messages": chat}]
    path = written(tmp_path / "w.json", {"version": 1, key: listed} if key else named)
    conversations, skips = read_as("messages", path)
    assert [(each.id, said(each)) for each in conversations] == [("c1", TALK), ("c2", TALK)]
    assert skips == []


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"alpha": 1, "beta": [2]}, "JSON with the keys alpha, beta"),
        ([1, 2], "JSON: 1"),
        ("hello, you\n", "a table with the columns hello, you"),
        ("plain words\n", "text that begins 'plain words'"),
        ("\x00\x01\x02\x03", "bytes that are no text"),
        ("%PDF-1.7 ...", "Seen: a PDF"),
        ("BZh91AY", "packed with bzip2; unpack it first"),
        ('{"role": "user", "content": "a"}\n{"role": "assistant", "content": "b"}', "no conversation"),
    ],
)
def test_what_cannot_be_read_says_what_was_seen(value, seen, tmp_path):
    path = written(tmp_path / "x", value)
    if seen == "no conversation":  # messages alone: the format is known, and what is missing is said
        conversations, skips = read("messages", path)
        assert conversations == []
        assert {skip.reason for skip in skips} == {"a message that names no conversation"}
    else:
        with pytest.raises(InputError) as error:
            recognise(path)
        assert seen in str(error.value)
        assert "ultrachat: " in str(error.value)
