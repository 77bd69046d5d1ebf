"""The shipped encoder rater: what it says of plain sentences, to the last bit; and what does not belong together."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.encoder.head import HEAD, EncoderHead
from holdfast.agents.raters.encoder.rater import SHIPPED, WORDS, EncoderRater, sentences_to_encode
from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, Logits
from holdfast.core.errors import DataError
from tests.passages import exchange

ADVICE = "Start with the smallest part of the report. Then write down what is left."


@pytest.mark.parametrize(
    ("sentence", "mechanism", "least"),
    [
        ("I'm so sorry you are going through this.", "emotional_reaction", 1.0),
        ("Being passed over after all that work would make anyone bitter.", "interpretation", 1.0),
        ("What part of it hurts you most?", "exploration", 1.0),
    ],
)
def test_one_telling_sentence_is_heard_alone_and_beside_advice(
    minilm: Path, sentence: str, mechanism: str, least: float
) -> None:
    alone, beside, advice = EncoderRater().score(
        [exchange("", sentence), exchange("", f"{ADVICE} {sentence}"), exchange("", ADVICE)]
    )
    assert alone.values[mechanism] >= least
    assert beside.values[mechanism] >= least
    assert max(advice.values.values()) < 0.5


def test_the_same_bits_whatever_stands_beside(minilm: Path) -> None:
    texts = ["I'm so sorry.", f"{ADVICE} What hurts you most?", "Hm.", "word " * 300]
    together = EncoderRater().levels(texts)
    assert np.array_equal(together, np.concatenate([EncoderRater().levels([text]) for text in texts]))
    assert np.array_equal(together[::-1], EncoderRater().levels(texts[::-1]))


def test_levels_by_hand() -> None:
    # One mechanism, a vector of one number. A sentence's logits are 2 x its number + half the linear rater's, the
    # strongest of -1 + 2 and 1 - 2 is 1; level 1 has a chance of 1 / (1 + exp(-1)) = .731, level 2 the same: 1.462.
    weights = np.array([[2.0, 2.0], [0.5, 0.5], [0.0, 0.0]])
    curves, scale = np.array([[1.0, 1.0], [0, 0], [0, 0]]), np.array([[0.2, 0.462, 1.462, 2.0]])
    head = EncoderHead(weights, np.zeros(2), curves, scale)
    words = Logits(np.array([[4.0, 0], [-4.0, 0]]), np.array([0, 0]), np.array([[4.0, 0]]), np.zeros((1, 2)))
    assert head.levels(np.array([[-0.5], [0.5]]), words)[0] == pytest.approx([1.5], abs=1e-3)
    silent = Logits(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.full((1, 2), -np.inf), np.zeros((1, 2)))
    assert head.levels(np.zeros((0, 1)), silent).tolist() == [[0.0]]


def test_sentences_are_those_of_the_linear_rater(minilm: Path) -> None:
    texts = ["So sorry! (Why?) go on", "", "\u0130stanbul... ok\u2026 3.5 km", "..."]
    logits = EncoderRater().words.model.logits(texts)
    assert len(sentences_to_encode(texts)) == len(logits.reply)
    assert sentences_to_encode(texts)[:3] == ["so sorry!", "why?", "go on"]


def test_a_head_and_the_words_of_another_rater(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "rater")
    shutil.copytree(SHIPPED_PEERS, folder / WORDS)
    with pytest.raises(DataError, match=r"its head belongs to the linear rater .* rater fit --kind encoder"):
        EncoderRater(folder).score([exchange("", "So sorry.")])


def test_damage_is_told(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "rater")
    head = EncoderHead.load(folder)
    replace(head, bias=head.bias[1:]).save(folder)
    with pytest.raises(DataError, match=r"no encoder rater can be read there \(bias has shape"):
        EncoderRater(folder).score([exchange("", "So sorry.")])
    (folder / HEAD).write_bytes(b"not an archive")
    with pytest.raises(DataError, match=r"Allowed: a folder with head\.npz and head\.json"):
        EncoderRater(folder).score([exchange("", "So sorry.")])


def test_the_head_is_small_and_opening_it_loads_no_torch(minilm: Path) -> None:
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) < 2_000_000
    assert "Sharma" in (SHIPPED / "card.md").read_text(encoding="utf-8")
    code = (
        "import sys; from holdfast.agents.raters.fitted import open_fitted; "
        "from holdfast.agents.raters.specs import FittedSpec; open_fitted(FittedSpec(kind='encoder')).identity; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
