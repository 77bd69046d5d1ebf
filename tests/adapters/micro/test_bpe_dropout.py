"""Names cut into other pieces: the same text, the same cut all through a document, and by the seed alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from holdfast.adapters.micro import base_path
from holdfast.adapters.micro.bpe_dropout import BpeDropout, plain_words, segments
from holdfast.adapters.micro.encoding import Encoder
from holdfast.adapters.micro.lexicon import load_lexicon
from holdfast.adapters.micro.world import Document, documents

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC", min_size=1, max_size=14)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(base_path())


@pytest.fixture(scope="module")
def bpe_dropout(tokenizer: PreTrainedTokenizerFast) -> BpeDropout:
    return BpeDropout(tokenizer.backend_tokenizer)


def sample(count: int) -> list[Document]:
    world = documents(random.Random(3), recipe="cue", prompted_share=0.5, long_turns=(1, 3))
    return [next(world) for _ in range(count)]


@given(word=WORDS)
def test_with_no_merge_passed_over_a_word_is_cut_as_the_tokenizer_cuts_it(
    word: str, bpe_dropout: BpeDropout, tokenizer: PreTrainedTokenizerFast
) -> None:
    cut = bpe_dropout.split(word, random.Random(0), skipped=0.0)
    assert [token for token, _ in cut] == tokenizer.backend_tokenizer.encode(" " + word).ids


@given(word=WORDS, seed=st.integers(0, 1000))
def test_any_cut_spells_the_word(
    word: str, seed: int, bpe_dropout: BpeDropout, tokenizer: PreTrainedTokenizerFast
) -> None:
    cut = bpe_dropout.split(word, random.Random(seed))
    assert tokenizer.decode([token for token, _ in cut]) == " " + word
    assert sum(length for _, length in cut) == len(word) + 1


def test_segments_put_together_are_the_text() -> None:
    text = " I feel low about the copper report, copperish or copper."
    parts = list(segments(text, ["copper", "low"]))
    assert "".join(piece for piece, _ in parts) == text
    assert [word for _, word in parts if word] == ["low", "copper", "copper"]  # "copperish" is another word


def test_words_that_are_no_plain_words_are_left_alone() -> None:
    assert plain_words(["my old-fashioned report", "my report"]) == ["my", "report"]


def test_an_encoded_document_says_the_same_whichever_way_it_is_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    encoder = Encoder(tokenizer)
    changed = 0
    for number, document in enumerate(sample(100)):
        plain, cut = encoder.encode(document), encoder.encode(document, random.Random(number))
        assert tokenizer.decode(cut.tokens) == tokenizer.decode(plain.tokens)
        assert tokenizer.decode([t for t in cut.labels if t >= 0]) == tokenizer.decode(
            [t for t in plain.labels if t >= 0]
        )
        assert encoder.encode(document, random.Random(number)) == cut
        changed += cut.tokens != plain.tokens
    assert changed > 50


def test_what_counts_more_in_the_loss_is_the_name_however_it_is_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    encoder = Encoder(tokenizer)
    for number, document in enumerate(sample(100)):
        named = [
            tokenizer.decode([token for token, weight in zip(row.tokens, row.weights, strict=True) if weight > 1])
            for row in (encoder.encode(document), encoder.encode(document, random.Random(number)))
        ]
        assert named[0].replace(" ", "") == named[1].replace(" ", "")  # a cut may leave the space before it alone


def test_words_never_in_training_are_cut_into_pieces_that_training_knows(tokenizer: PreTrainedTokenizerFast) -> None:
    lexicon, encoder, rng = load_lexicon(), Encoder(tokenizer), random.Random(1)
    known = {token for document in sample(2000) for token in encoder.encode(document, rng).tokens}
    pieces = {
        token
        for word in (*lexicon.held_out_modifiers, *lexicon.held_out_heads)
        for token in tokenizer.backend_tokenizer.encode(" " + word).ids
    }
    assert len(pieces - known) <= 0.1 * len(pieces)
