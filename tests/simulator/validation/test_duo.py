"""DUO's chats, with what their people said, are read as they stand."""

import json
from pathlib import Path

from tests.simulator.validation.duo import DUO, read_duo


def test_chats_labels_and_people(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello!"}]
    chats = [
        {"user_id": "b", "user_empathy": 4, "messages": said},
        {"user_id": "a", "user_empathy": 1, "messages": said * 2},
        {"user_id": "b", "user_empathy": 2.5, "messages": said[:1]},
    ]
    (tmp_path / DUO).parent.mkdir()
    (tmp_path / DUO).write_text("".join(json.dumps(chat) + "\n" for chat in chats), encoding="utf-8")
    duo = read_duo(tmp_path)
    assert duo.empathy.tolist() == [4, 1, 2.5]
    assert duo.persons.tolist() == [1, 0, 1]
    assert duo.reply_chars.tolist() == [6, 12, 0]
    assert [(passage.whole, len(passage.messages)) for passage in duo.passages] == [(True, 2), (True, 4), (True, 1)]
