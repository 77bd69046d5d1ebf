from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.adapters.dialogues.writing import UserMessages
from holdfast.adapters.routing.fitting import assess_router, fit_router
from holdfast.adapters.routing.router import WordRouter, features_of
from holdfast.core.errors import InputError, ModelError
from tests.adapters.standins import task

TASKS = {"alpha": task("alpha", "warm", "budget"), "beta": task("beta", "cool", "bug")}
TRAIN = (
    UserMessages("a", "alpha", ("I feel tired.", "The budget report is late.", "How do I plan the budget?")),
    UserMessages("b", "beta", ("I feel tired.", "The bug is back.", "How do I find the bug?", "Thanks.")),
)
TEST = (
    UserMessages("c", "alpha", ("Hello, my budget deck.", "I feel tired.")),
    UserMessages("d", "beta", ("Hello.", "A bug in my test.", "The budget test has a bug, find the bug.")),
)


@pytest.fixture(scope="module")
def router() -> WordRouter:
    return fit_router(TRAIN, TASKS)


def test_features_of_a_message() -> None:
    assert features_of("Fix THE deck, don't!") == {
        *("fix", "the", "deck", "don't", "~fix", "~the", "~deck", "~don't", "fix the", "the deck", "deck don't")
    }


def test_it_learns_and_beats_the_prior(router: WordRouter) -> None:
    assert assess_router(router, TRAIN).accuracy > 0.7
    report = assess_router(router, TEST)
    assert (report.n, report.conversations, report.personas) == (5, 2, ("c", "d"))
    assert report.accuracy >= 0.8  # always the likeliest task: 3 of 5
    assert [(count, n) for count, _, n in report.by_heard] == [(1, 2), (2, 2), (3, 1)]
    assert sum(sum(row.values()) for row in report.confusion.values()) == 5


def test_a_word_of_every_task_weighs_nothing(router: WordRouter) -> None:
    rarity = dict(zip(router.vocabulary, router.rarity, strict=True))
    assert rarity["tired"] == 0
    assert rarity["report"] == pytest.approx(np.log(3 / 2))
    silent = router.probabilities(["I feel tired."])
    assert silent == pytest.approx(router.probabilities(["zzz"]))


def test_it_stays_with_its_task_unless_sure(router: WordRouter) -> None:
    wavering = ["The bug.", "The bug is in the budget report."]
    chances = router.probabilities(wavering)
    shift = chances[1, 0] - chances[1, 1]
    assert shift > 0, "the second message must make the other task likelier for this test to say anything"
    settings_ = (router.tasks, router.vocabulary, router.rarity, router.weights, router.bias)
    assert WordRouter(*settings_, margin=shift * 0.9).recognise(wavering) == "alpha"
    assert WordRouter(*settings_, margin=shift * 1.1).recognise(wavering) == "beta"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_any_words_give_a_known_task_and_chances_that_sum_to_one(messages: list[str]) -> None:
    router = fit_router(TRAIN, TASKS)
    assert router.recognise(messages) in TASKS
    assert router.probabilities(messages).sum(axis=1) == pytest.approx(np.ones(len(messages)))


def test_saved_and_loaded_it_is_the_same_without_pickle(router: WordRouter, tmp_path: Path) -> None:
    router.save(tmp_path / "a" / "router.npz")
    fit_router(TRAIN, TASKS).save(tmp_path / "b.npz")
    assert (tmp_path / "a" / "router.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = WordRouter.load(tmp_path / "b.npz")
    for conversation in TEST:
        assert loaded.recognise(conversation.messages) == router.recognise(conversation.messages)
        assert (loaded.probabilities(conversation.messages) == router.probabilities(conversation.messages)).all()


def test_no_router_and_a_damaged_one(router: WordRouter, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such router; train one with `holdfast train`"):
        WordRouter.load(tmp_path / "router.npz")
    (tmp_path / "router.npz").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(ModelError, match="cannot be read as a router"):
        WordRouter.load(tmp_path / "router.npz")
    np.savez(tmp_path / "pickled.npz", tasks=np.array([object()], dtype=object))
    with pytest.raises(ModelError, match="cannot be read as a router"):
        WordRouter.load(tmp_path / "pickled.npz")


def test_of_one_task_it_is_always_sure() -> None:
    router = fit_router(TRAIN[:1], TASKS)
    assert router.recognise(["anything"]) == "alpha"


def test_nothing_heard() -> None:
    with pytest.raises(ValueError, match="no conversation"):
        fit_router([], TASKS)
    with pytest.raises(ValueError, match="before the user has said anything"):
        fit_router(TRAIN, TASKS).recognise([])
    assert assess_router(fit_router(TRAIN, TASKS), []).accuracy is None


def test_routing_needs_no_torch() -> None:
    modules = ("routing.router", "training.store", "config")
    imports = "; ".join(f"import holdfast.adapters.{module}" for module in modules)
    code = f"import sys; {imports}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
