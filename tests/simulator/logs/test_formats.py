"""Every format: what is written is read again, is recognised, and what it cannot hold is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.agents.raters.linear.legibility import NO_WORDS
from holdfast.core.errors import InputError
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS, WRITTEN, format_named, recognise
from tests.simulator.logs.conftest import read, small

TEXTLESS = {"sage.csv"}


@pytest.mark.parametrize("word", WRITTEN)
def test_words_and_roles_come_back(word, written):
    conversations, skips = read(word, written(word))
    assert skips == []
    assert len(conversations) == 12
    said = [(m.role, m.text) for m in small().messages]
    assert [(m.role, m.text) for m in conversations[0].messages] == said


@pytest.mark.parametrize("word", WRITTEN)
def test_a_written_file_is_recognised(word, written):
    expected = "messages" if word == "sharegpt" else word
    assert recognise(written(word)).word == expected


def test_messages_keep_everything(written):
    for word in ("messages", "sharegpt"):
        path = written(word)
        (first, *_), _ = read(word, path)
        whole = small()
        assert (first.messages, first.labels, first.columns) == (whole.messages, whole.labels, whole.columns)
        assert (first.id, first.speaker, first.planned, first.end) == ("c0", "p0", 4, "failure")
        assert FORMATS[word].writer.write([whole], path) == {}


@pytest.mark.parametrize("word", WRITTEN)
def test_there_and_back_loses_only_what_was_counted(word, written, tmp_path):
    left = FORMATS[word].writer.write([small()], tmp_path / f"one{FORMATS[word].suffix}")
    (back,), _ = read(word, tmp_path / f"one{FORMATS[word].suffix}")
    for name in small().labels:
        assert (name in back.labels) != (f"label of the conversation {name}" in left)
    kept = {name for m in back.messages for name in m.labels}
    for name in ("emotion", "feedback", "interest"):
        # A journal joins a turn's labels on its reply; what nobody can hold is counted.
        assert (name in kept) != (f"label {name}" in left), (name, left)


def test_sage_turns_hold_lengths_and_no_text(tmp_path):
    left = FORMATS["sage"].writer.write([small()], tmp_path / "turns.csv")
    assert left["message texts"] == 8
    assert left["replies after the user's last message"] == 1
    (back,), skips = read("sage", tmp_path / "turns.csv")
    assert skips == []
    assert [m.length for m in back.messages if m.role == "assistant"] == [27.0, 27.0, 27.0]
    assert [m.labels["emotion"] for m in back.messages if m.role == "user"] == [40.0, 42.0, 43.0, 44.0]


def test_the_word_of_a_format_is_checked():
    with pytest.raises(InputError, match=r"unknown format 'sense8'; did you mean 'sense7'.*allowed: journal, sense7"):
        format_named("sense8")


def test_a_file_that_is_nothing_says_what_is_allowed(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("hello,there\n1,2\n")
    with pytest.raises(InputError, match=r"cannot be recognised. Seen: .*Name the format with --format .*sage: SAGE"):
        recognise(path)
    with pytest.raises(InputError, match=r"no such file; did you mean 'x\.txt'"):
        recognise(tmp_path / "xx.txt")
    with pytest.raises(InputError, match="is a folder where a file is expected"):
        recognise(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}',
        '{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}',
        '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]\n'
        '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]',
        '[\n {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]},\n'
        '   {"role": "ASSISTANT", "content": "b"}]}\n]',
        '{\n "messages": [\n {"role": "user", "content": "a"},\n {"role": "assistant", "content": "b"}]\n}',
    ],
    ids=["openai", "sharegpt", "lists", "array of parts", "indented object"],
)
def test_shapes_of_messages(text, tmp_path):
    path = tmp_path / "log.json"
    path.write_text(text, encoding="utf-8-sig")
    conversations, skips = read("messages", path)
    assert skips == []
    assert {tuple((m.role, m.text) for m in one.messages) for one in conversations} == {
        (("user", "a"), ("assistant", "b"))
    }


def test_esconv_as_its_authors_publish_it(tmp_path):
    path = tmp_path / "ESConv.json"
    path.write_text(
        """[ {
  "experience_type": "Previous Experience", "emotion_type": "anxiety", "problem_type": "job crisis",
  "situation": "I hate my job but I am scared to quit.",
  "survey_score": {"seeker": {"initial_emotion_intensity": "5", "empathy": "4", "relevance": "5",
                              "final_emotion_intensity": "1"}, "supporter": {"relevance": "5"}},
  "dialog": [ {"speaker": "seeker", "annotation": {}, "content": "Hello\\n"},
              {"speaker": "supporter", "annotation": {"strategy": "Question"}, "content": "How are you?\\n"},
              {"speaker": "seeker", "annotation": {"feedback": "3"}, "content": "Bad.\\n"} ] } ]""",
        encoding="utf-8",
    )
    assert recognise(path).word == "esconv"
    (one,), skips = read("esconv", path)
    assert skips == []
    assert one.labels == {"empathy": 4, "relevance": 5, "initial_intensity": 5, "final_intensity": 1}
    assert one.columns == {"experience_type": "Previous Experience", "emotion": "anxiety", "problem": "job crisis"}
    assert one.messages == (
        LogMessage("user", "Hello"),
        LogMessage("assistant", "How are you?", {}, "Question"),
        LogMessage("user", "Bad.", {"feedback": 3.0}),
    )


def test_sdialog_names(tmp_path):
    path = tmp_path / "dialog.json"

    def roles(*speakers: str) -> list[str] | str:
        turns = ", ".join(f'{{"speaker": "{one}", "text": "hi"}}' for one in speakers)
        path.write_text(f'{{\n "version": "0.5", "model": "qwen", "id": 7, "turns": [{turns}], "events": []\n}}')
        conversations, skips = read("sdialog", path)
        return [m.role for m in conversations[0].messages] if conversations else skips[0].reason

    assert roles("Alice", "Bob", "Alice") == ["user", "assistant", "user"]
    assert roles("system", "user") == ["assistant", "user"]
    assert roles("Doctor", "Ann") == ["assistant", "user"]
    assert roles("Ann", "customer") == ["assistant", "user"]
    assert roles("A", "B", "C") == "speakers are not two"
    assert roles("doctor", "bot") == "speakers are not two"


@pytest.mark.slow
def test_a_journal_of_a_real_run(tmp_path):
    from holdfast import Study
    from holdfast.simulator.config.study import StudyConfig

    study = StudyConfig.model_validate(
        {"name": "log", "seed": 1, "turns": 3, "personas": {"ids": ["jun_park"]}, "candidates": ["base"]}
    )
    results = Study(study).run(tmp_path / "run").results
    conversations, skips = read("journal", tmp_path / "run")
    assert skips == []
    assert len(conversations) == results.episodes
    assert conversations[0].columns["candidate"] == "base"
    assert conversations[0].planned == 3
    assert len(conversations[0].messages[1].labels) == 8  # SENSE-7 and the emotion


def test_a_written_journal_says_why_a_reply_is_unrated(tmp_path):
    replies = ["I am so sorry, that is hard.", "🙂 🙂", "Das tut mir wirklich sehr leid für dich."]
    said = [message for reply in replies for message in (LogMessage("user", "Hm."), LogMessage("assistant", reply))]
    FORMATS["journal"].writer.write([replace(small(), messages=tuple(said))], tmp_path / "run")
    with Journal.read(tmp_path / "run" / JOURNAL) as journal:
        (episode,) = journal.episodes()
    ratings = [turn.ratings["linear"] for turn in episode.turns]
    assert [rating.missing for rating in ratings] == [None, NO_WORDS, "in a language that the rater does not know (de)"]
    assert [len(rating.values) for rating in ratings] == [3, 0, 0]


def test_unknown_lengths_stay_unknown():
    assert LogMessage("assistant", "").length == 0
    assert LogMessage("assistant", "", chars=12).length == 12
    assert isinstance(small(), Conversation)


def test_an_out_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for word in WRITTEN:
        with pytest.raises(InputError, match=r"cannot be (written|made)"):
            FORMATS[word].writer.write([small()], tmp_path / "file" / f"below{FORMATS[word].suffix}")
    assert list(Path(tmp_path).iterdir()) == [tmp_path / "file"]
