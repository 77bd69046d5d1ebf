"""ESConv: reading it, and what holds of any chats without a known chatbot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.core.errors import DataError
from holdfast.simulator.validation.chats import ESCONV, read_esconv
from holdfast.simulator.validation.perceived import chats_table
from holdfast.simulator.validation.scoring import score


def write(data: Path, *dialogues: dict[str, Any]) -> Path:
    (data / ESCONV).parent.mkdir(parents=True)
    (data / ESCONV).write_text("\n".join(json.dumps(one) for one in dialogues) + "\n", encoding="utf-8")
    return data


def dialogue(name: str, empathy: object) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": name * 3, "strategy": "Other"}]
    return {"conversation_id": name, "seeker_empathy": empathy, "messages": messages}


def test_rated_dialogues_only(tmp_path: Path) -> None:
    chats = read_esconv(write(tmp_path, dialogue("a", "4"), dialogue("b", None), dialogue("ccc", "1")))
    assert chats.labelled.people == ("a", "ccc")
    assert chats.labelled.labels.tolist() == [[4, 4], [1, 1]]
    assert chats.lengths == (3, 9)
    table = chats_table(chats, chats.labelled.labels, draws=50)
    assert table["spearman"]["mean"] == pytest.approx(1)
    assert table["length_only"]["mean"] == pytest.approx(-1)
    assert "within_bot" not in table


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dialogue("b", "9"), r"conversations\.jsonl:2: seeker_empathy is '9'; allowed: 1, 2, 3, 4, 5, null"),
        ({"messages": []}, r"conversations\.jsonl:2: the row lacks conversation_id, seeker_empathy"),
    ],
)
def test_malformed_lines_are_named(bad: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_esconv(write(tmp_path, dialogue("a", "4"), bad))


def test_nothing_rated_or_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_esconv(tmp_path)
    with pytest.raises(DataError, match="holds no rated dialogue"):
        read_esconv(write(tmp_path, dialogue("a", None)))


async def test_shipped_weights_score_it_as_they_are(real_data: Path) -> None:
    chats = read_esconv(real_data)
    scored = await score(FittedRater(SHIPPED_PERCEIVED), chats.labelled)
    assert (scored.how, scored.seen.sum()) == ("as it is", 0)
    assert np.isnan(scored.values).any(axis=1).sum() == 1  # a supporter who mashes the keyboard
    assert sum(scored.missing.values()) == 1
