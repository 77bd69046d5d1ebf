"""Pairwise preferences as files, and who is held out."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.dialogues.preferences import (
    PreferencePair,
    hold_out,
    read_preference_pairs,
)
from holdfast.core.errors import InputError
from holdfast.core.jsonl import write_lines


def pair(persona: str, chosen: str = "i am so sorry .", rejected: str = "first try the plan .") -> PreferencePair:
    return PreferencePair(
        prompt=(ChatLine(role="user", content="i feel tired about the budget ."),),
        chosen=(ChatLine(role="assistant", content=chosen),),
        rejected=(ChatLine(role="assistant", content=rejected),),
        persona=persona,
    )


def test_written_and_read_again(tmp_path: Path) -> None:
    pairs = [pair("ana"), pair("ben")]
    write_lines(pairs, tmp_path / "deep" / "pairs.jsonl")
    assert list(read_preference_pairs(tmp_path / "deep" / "pairs.jsonl")) == pairs


def test_every_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    good = pair("ana").model_dump_json()
    path.write_text(
        "\n".join([good, "{", good.replace('"ana"', '""'), good.replace("i am so sorry", "first try the plan")])
    )
    with pytest.raises(InputError) as caught:
        read_preference_pairs(path)
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4]
    assert "chosen and rejected are the same" in str(caught.value)
    path.write_text("\n")
    with pytest.raises(InputError, match="holds no pair"):
        read_preference_pairs(path)
    with pytest.raises(InputError, match="cannot be read as text"):
        read_preference_pairs(tmp_path / "absent.jsonl")


def test_people_are_held_out_whole_whatever_the_order() -> None:
    pairs = [pair(name) for name in "abcdefgh" for _ in range(3)]
    train, test = hold_out(pairs, seed=4)
    assert len(test) == 2 * 3
    assert not {one.persona for one in train} & {one.persona for one in test}
    again = hold_out(pairs[::-1], seed=4)
    assert {one.persona for one in again[1]} == {one.persona for one in test}
    with pytest.raises(InputError, match="no two replies lay far enough apart"):
        hold_out([], seed=4)
    with pytest.raises(InputError, match="all of one persona"):
        hold_out(pairs[:3], seed=4)
