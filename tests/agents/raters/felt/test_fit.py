"""Fitting the feeler: it learns what people reward, nothing where nothing can be learned, the same every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.dialogue.fit import dual
from holdfast.agents.raters.felt import fit as fitting
from holdfast.agents.raters.felt.fit import FeltRecipe
from holdfast.agents.raters.felt.reading import WindowReader, window_of
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.protocol import FELT, Passage
from holdfast.core.errors import DataError

WARM = ("so sorry that hurts", "what happened then", "that must be hard")
COLD = ("next question please", "ok whatever", "read the manual")
TOPICS = ("my dog died", "i lost my job", "we moved away", "the exam is near")


def chats(people: int = 24) -> Labelled:
    """Two chats a person, of 3 exchanges; the share of warm replies decides the label, 1 to 4 with a little noise."""
    rng = np.random.default_rng(4)
    passages, labels, who = [], [], []
    for number in range(2 * people):
        warm = rng.integers(2, size=3)
        talk = [
            message
            for turn, kind in enumerate(warm)
            for message in (
                Message("user", TOPICS[(number + turn) % 4]),
                Message("assistant", rng.choice(WARM if kind else COLD)),
            )
        ]
        passages.append(Passage(tuple(talk), whole=True))
        labels.append([1 + warm.sum() + rng.normal(0, 0.2)])
        who.append(str(number // 2))
    return Labelled("own", FELT, tuple(passages), tuple(who), FELT.dimensions, np.array(labels), "own")


def correlation(labelled: Labelled) -> float:
    fit = FeltRecipe().fit(WindowReader().read(labelled.passages), labelled)
    return float(np.corrcoef(fit.held_out[:, 0], labelled.labels[:, 0])[0, 1])


def test_people_left_out_are_predicted_and_not_without_words_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    labelled = chats()
    assert correlation(labelled) > 0.8
    monkeypatch.setattr(fitting, "runs", lambda *_: ())
    monkeypatch.setattr(fitting, "numbers_of", lambda window: np.zeros(len(fitting.WEIGHTS)))
    assert abs(np.nan_to_num(correlation(labelled))) < 0.3


def test_labels_of_others_teach_nothing() -> None:
    labelled = chats()
    shuffled = np.random.default_rng(0).permutation(labelled.labels)
    assert abs(correlation(replace(labelled, labels=shuffled))) < 0.35


def test_the_model_says_what_the_regression_says() -> None:
    """The terms of messages, added up, are the kernel's prediction: chats broken off anywhere included."""
    labelled = chats()
    windows = tuple(window_of(passage) for passage in labelled.passages)
    prefixes = [(chat, size) for chat in range(len(windows)) for size in (1, 2, 3)]
    design = fitting._design(windows, prefixes)
    labels = labelled.labels[[chat for chat, _ in prefixes]]
    alpha, bias = dual(design.kernel, labels, 4.0)
    expected = np.clip(design.kernel @ alpha + bias, FELT.low, FELT.high)[:, 0]
    model = fitting._model(design, labels, 4.0)
    scores = [model.score(windows[chat][:size]) for chat, size in prefixes]
    assert scores == pytest.approx(expected.tolist(), abs=1e-4)  # words are kept in single precision
    assert len(set(scores)) > 10


def test_early_turns_are_calibrated() -> None:
    """Broken off after its first exchange, a chat is worth what such chats come to on average: no more, no less."""
    labelled = chats(60)
    fit = FeltRecipe().fit(WindowReader().read(labelled.passages), labelled)
    first = [fit.model.score(window_of(passage)[:1]) for passage in labelled.passages]
    assert np.mean(first) == pytest.approx(labelled.labels.mean(), abs=0.15)


def test_the_same_fit_gives_the_same_files(tmp_path: Path) -> None:
    labelled = chats(10)
    for name in ("a", "b"):
        FeltRecipe().fit(WindowReader().read(labelled.passages), labelled).model.save(tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_too_few_people_and_labels_that_are_all_the_same() -> None:
    labelled = chats(10)
    with pytest.raises(DataError, match="own: 2 people with labels; fitting needs 5"):
        FeltRecipe().fit(WindowReader().read(labelled.passages[:4]), labelled.rows(range(4)))
    same = replace(labelled, labels=np.full_like(labelled.labels, 3.0))
    with pytest.raises(DataError, match="every label of overall is the same"):
        FeltRecipe().fit(WindowReader().read(labelled.passages), same)


def test_chats_without_a_reply_or_a_label_are_left_out() -> None:
    labelled = chats(10)
    labels = labelled.labels.copy()
    labels[3] = np.nan
    silent = replace(labelled, labels=labels, passages=(Passage((Message("user", "hi"),)), *labelled.passages[1:]))
    fit = FeltRecipe().fit(WindowReader().read(silent.passages), silent)
    assert fit.rows.tolist() == [n for n in range(20) if n not in (0, 3)]
    assert len(fit.held_out) == 18
