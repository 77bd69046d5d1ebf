"""What is lost, is without text, or is in another language: told, counted, never paired anew and never 0."""
# ruff: noqa: RUF001

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.agents.raters.gate.language import UNKNOWN_LANGUAGE
from holdfast.agents.raters.linear.legibility import NO_TEXT, NO_WORDS
from holdfast.core.errors import InputError
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.model import LogResults
from holdfast.simulator.logs.notes import LEFT_OUT
from holdfast.simulator.logs.sources import open_sources, read_all
from tests.simulator.logs.conftest import read

HM, SORRY = {"role": "user", "content": "Hm."}, {"role": "assistant", "content": "I am so sorry."}
GOOD = {"id": "good", "messages": [HM, SORRY, HM, SORRY]}


def measured(path: Path, *documents: dict[str, Any]) -> LogResults:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return measure_files(open_sources([path]))[0]


def chat(*messages: Any, **about: Any) -> dict[str, Any]:
    return {**about, "messages": list(messages)}


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (None, "not a message"),
        (["user", "Hm."], "not a message"),
        ({"role": "moderator", "content": "Stop."}, "role is not user, assistant or system"),
        ({"content": "Who says so?"}, "role is not user, assistant or system"),
        ({"role": "user", "content": {"blob": "aGk="}}, "a message's content has an unknown shape"),
        ({"role": "assistant", "content": [{"blob": "aGk="}]}, "a message's content has an unknown shape"),
        ({"role": "assistant", "msg": "I am so sorry."}, "a message's content has an unknown shape"),
    ],
)
def test_a_lost_message_takes_its_conversation_along(lost, reason, tmp_path):
    results = measured(tmp_path / "a.jsonl", chat(HM, SORRY, lost, HM, SORRY), GOOD)
    assert (results.conversations, results.turns) == (1, 2)
    (skip,) = results.skipped.by_reason
    assert (skip.kind, skip.reason, skip.n) == ("conversation", f"left out: {reason}", 1)
    assert skip.first[0].startswith(f"{tmp_path / 'a.jsonl'}:1, message 3: ")


CALL = {"function": {"name": "search", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ({"content": None}, NO_TEXT),
        ({"content": ""}, NO_TEXT),
        ({}, NO_TEXT),
        ({"content": None, "tool_calls": [CALL]}, "no text: a tool call (search)"),
        ({"content": None, "function_call": {"name": "search"}}, "no text: a tool call (search)"),
        ({"content": [{"type": "tool_use", "name": "search", "input": {}}]}, "no text: a tool call (search)"),
        ({"content": None, "refusal": "I cannot."}, "no text: a refusal"),
        ({"content": "", "finish_reason": "content_filter"}, "no text: a filter (content_filter)"),
        ({"content": [{"type": "image_url", "image_url": {}}]}, "no text: attachments only (image_url)"),
        ({"content": "<think>Hm"}, "no text: thoughts only"),
        ({"content": "", "reasoning_content": "Hm"}, "no text: thoughts only"),
    ],
)
def test_a_reply_without_text_is_a_failure_unless_the_log_says_what_there_was(reply, cause, tmp_path):
    results = measured(tmp_path / "a.jsonl", chat(HM, {"role": "assistant", **reply}, HM, SORRY, HM, SORRY), GOOD)
    assert (results.conversations, results.turns, results.rated_replies) == (2, 5, 4)
    failure = {NO_TEXT: "empty", "no text: thoughts only": "empty", "no text: a refusal": "refusal"}.get(cause)
    assert results.unrated_replies == ({} if failure else {cause: 1})
    assert results.disqualified_replies == ({failure: 1} if failure else {})
    stopped = f"group 'all': 1 reply is disqualified, {LEFT_OUT}: {failure}"
    assert (stopped if failure else f"1 reply was not rated: {cause}") in results.notes
    group = results.groups["all"].measures
    assert [row.n for row in group["expressed"].by_turn] == [1, 2, 1]
    assert [row.n for row in group["reply_chars"].by_turn] == [1, 2, 1]  # no answer has no length


def test_a_reply_after_a_tool_is_the_reply(tmp_path):
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    results = measured(tmp_path / "a.jsonl", chat(HM, called, {"role": "tool", "content": "42"}, SORRY), GOOD)
    assert (results.turns, results.rated_replies, results.unrated_replies) == (3, 3, {})
    (skip,) = results.skipped.by_reason
    assert (skip.kind, skip.reason) == ("message", "a tool's output or call, which nobody says")


def test_thoughts_are_set_apart_and_counted(tmp_path):
    thought = {"role": "assistant", "content": "<think>So sorry to hear that!</think>Use a table."}
    plain = {"role": "assistant", "content": "Use a table."}
    apart = measured(tmp_path / "a.jsonl", chat(HM, thought), chat(HM, plain))
    alone = measured(tmp_path / "b.jsonl", chat(HM, plain), chat(HM, plain))
    assert apart.groups["all"].measures["expressed"].mean == alone.groups["all"].measures["expressed"].mean
    assert (apart.replies_with_thoughts, alone.replies_with_thoughts) == (1, 0)
    assert apart.groups["all"].measures["reply_chars"] == alone.groups["all"].measures["reply_chars"]
    assert "1 reply comes with a model's thoughts, which were set apart and not rated" in apart.notes
    (first, _) = read("messages", tmp_path / "a.jsonl")[0]
    assert (first.messages[1].text, first.messages[1].thoughts) == ("Use a table.", "So sorry to hear that!")


def test_a_person_may_write_a_mark(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(chat({"role": "user", "content": "What is <think>?"}, SORRY)))
    assert read("messages", tmp_path / "a.jsonl")[0][0].messages[0].text == "What is <think>?"


GERMAN = "Das tut mir sehr leid, ich verstehe deine Sorgen."


def test_other_languages_are_warned_of_by_group(tmp_path):
    said = {
        "de": (GERMAN, "Wie geht es dir heute Abend damit?"),
        "en": ("I am so sorry to hear that.", "How are you tonight?"),
        "emoji": ("\U0001f44d\U0001f44d", "\U0001f44d"),
    }
    documents = [
        chat(*(part for text in texts for part in (HM, {"role": "assistant", "content": text})), model=name)
        for name, texts in said.items()
    ]
    results = measured(tmp_path / "a.jsonl", *documents)
    assert results.unrated_replies == {f"{UNKNOWN_LANGUAGE} (de)": 2, NO_WORDS: 2}
    assert "expressed" not in results.groups["de"].measures
    assert "expressed" not in results.groups["emoji"].measures
    assert results.groups["en"].measures["expressed"].mean.n == 1
    warned = [note for note in results.notes if "it was fitted on English text" in note]
    assert warned == [
        "group 'de': the rater knows 0% of the words in these replies and could not rate 2 of 2: "
        "it was fitted on English text",
        "group 'emoji': the rater knows no word in these replies and could not rate 2 of 2: "
        "it was fitted on English text",
    ]


def test_one_german_reply_among_english_ones_is_unrated(tmp_path):
    german = {"role": "assistant", "content": GERMAN}
    results = measured(tmp_path / "a.jsonl", chat(HM, SORRY, HM, german, HM, SORRY))
    curve = results.groups["all"].measures["expressed"].by_turn
    assert [(row.turn, row.n) for row in curve] == [(1, 1), (3, 1)]
    assert results.unrated_replies == {f"{UNKNOWN_LANGUAGE} (de)": 1}


CP1252 = "conversation,role,text\na,user,I feel awful – it’s the café report.\na,assistant,That’s hard.\n"


def test_rows_of_another_encoding(tmp_path):
    """Windows-1252 is read where it is sure; a row that is neither that nor UTF-8 takes its conversation along."""
    path = tmp_path / "a.csv"
    path.write_bytes(CP1252.encode("cp1252"))
    (conversation,), skips = read("csv", path)
    assert skips == []
    assert [message.text for message in conversation.messages] == [
        "I feel awful – it’s the café report.", "That’s hard."
    ]  # fmt: skip
    rows = "a,user,d\xe9j\xe0 vu\n".encode() + b"a,assistant,caf\xe9\nb,user,Hm.\nb,assistant,Hm.\nc,user,Hm.\n"
    path.write_bytes(b"conversation,role,text\n" + rows + b"c,assistant,Hm.\n")
    conversations, skips = read("csv", path)
    assert [each.id for each in conversations] == ["b", "c"]
    assert {(skip.kind, skip.reason) for skip in skips} == {
        ("line", "not UTF-8"),
        ("conversation", "left out: a row of it cannot be used"),
    }


def test_a_gzip_that_is_cut_off_damages_the_last_conversation(tmp_path):
    import gzip
    import random

    words = random.Random(1).choices(["sad", "worried", "tired", "angry", "lost", "fine", "late", "cold"], k=60_000)
    rows = [f"c{n // 4},{('user', 'assistant')[n % 2]},{' '.join(words[n * 9 : n * 9 + 9])}\n" for n in range(6000)]
    packed = gzip.compress(("conversation,role,text\n" + "".join(rows)).encode())
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) * 2 // 3])
    conversations, skips = read("csv", tmp_path / "a.csv.gz")
    assert all(len(each.messages) == 4 for each in conversations)
    assert len(conversations) > 500
    assert {skip.reason for skip in skips} >= {
        "damaged gzip: the rest was not read", "left out: a row of it cannot be used"
    }  # fmt: skip


def test_a_folder_is_read_whole_and_what_is_no_log_is_told(tmp_path):
    folder = tmp_path / "logs" / "deeper"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text(json.dumps(GOOD))
    (tmp_path / "logs" / "b.json").write_text(json.dumps([GOOD]))
    (tmp_path / "logs" / "README.md").write_text("# Logs\n")
    (tmp_path / "logs" / ".hidden").write_text("x")
    results, _ = measure_files(open_sources([tmp_path / "logs"]))
    assert results.conversations == 2
    assert [file.name for file in results.files] == ["b.json", "a.jsonl"]
    (skip,) = results.skipped.by_reason
    assert skip.reason == "passed over: no log that can be recognised"
    assert "README.md" in skip.first[0]
    assert "Seen: text that begins '# Logs'" in skip.first[0]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="none: is a folder without a log that can be read"):
        open_sources([tmp_path / "none"])


def test_an_assistant_for_a_log_with_roles_is_an_error(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD))
    with pytest.raises(InputError, match="--assistant names who is the assistant where a log says no roles; messages"):
        open_sources([tmp_path / "a.jsonl"], assistant="Bot")
    (tmp_path / "a.csv").write_text("conversation,role,text\nc,Ann,Hm.\nc,Bot 7,Hello.\n")
    assert "role is not user" in str(next(read_all(open_sources([tmp_path / "a.csv"]))))
    (entry,) = read_all(open_sources([tmp_path / "a.csv"], assistant="Bot 7"))
    assert [message.role for message in entry.messages] == ["user", "assistant"]
