"""Guesses: what they know, and that they change the speed of a conversation and never its words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.lookahead import MOST_GUESSES, Lookahead, SeenPhrases, guess
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from tests.agents.models.conftest import count_tokens_read
from tests.agents.models.local.test_model import all_of

WARM = Sampling(temperature=0.9, top_p=0.9, max_tokens=24)
NONE = frozenset[int]()


def known(*tokens: int) -> SeenPhrases:
    phrases = SeenPhrases()
    phrases.learn(tokens, 0)
    return phrases


def test_the_longest_run_that_is_known_says_what_follows() -> None:
    phrases = known(1, 2, 3, 4, 9, 2, 3, 5)
    assert guess([1, 2, 3], 1, [phrases], NONE) == [4]  # three tokens are known; two of them would say 5
    assert guess([7, 2, 3], 1, [phrases], NONE) == [5]  # the last time counts
    assert guess([7, 7, 4], 3, [phrases], NONE) == [9, 2, 3]
    assert guess([7, 7, 7], 3, [phrases], NONE) == []


def test_the_conversations_own_phrases_come_first_and_others_fill_in() -> None:
    own, others = known(5, 6), known(5, 7, 8)
    assert guess([5], 1, [own, others], NONE) == [6]
    assert guess([5, 7], 3, [own, others], NONE) == [8]
    assert guess([0, 5, 7], 1, [own, known(0, 5, 7, 1)], NONE) == [1]  # a longer run of others before an own short one


def test_nothing_is_guessed_after_an_end() -> None:
    assert guess([1], 5, [known(1, 2, 3, 4)], frozenset({3})) == [2, 3]


def test_what_was_read_before_is_not_read_again() -> None:
    phrases = known(1, 2)
    phrases.learn([1, 2, 3], 2)
    assert guess([2], 2, [phrases], NONE) == [3]
    phrases.learn([1, 9, 4], 2)  # what follows 9, not 9 itself
    assert guess([1], 1, [phrases], NONE) == [2]


def test_a_conversation_that_drops_its_beginning_does_not_leave_it_here_for_ever() -> None:
    phrases, most = SeenPhrases(), 0
    for turn in range(0, 10_000, 50):
        phrases.reread(range(turn, turn + 200), same=0)
        most = max(most, len(phrases.next))
        assert guess([turn + 100], 3, [phrases], NONE) == [turn + 101, turn + 102, turn + 103]
    assert 3 * 200 < most < 3 * 1000


def test_rows_share_out_what_a_pass_may_read() -> None:
    ahead = Lookahead(160)
    assert [ahead.most(rows) for rows in (1, 20, 32, 80, 81, 500)] == [MOST_GUESSES, 7, 4, 1, 0, 0]


def test_guesses_that_do_not_come_true_are_tried_rarely_until_they_do() -> None:
    ahead = Lookahead(160)
    for _ in range(40):
        ahead.record(0, 8)
    tried = [ahead.most(1) for _ in range(64)]
    assert tried.count(2) == 2
    assert tried.count(0) == 62
    for _ in range(10):
        ahead.record(8, 8)
    assert ahead.most(1) == MOST_GUESSES


class Prophet(Lookahead):
    """Knows every reply beforehand, and lies about each ``wrong``-th token."""

    def __init__(self, replies: dict[tuple[int, ...], list[int]], wrong: float, seed: int) -> None:
        super().__init__(160)
        self.replies, self.wrong, self.random = replies, wrong, random.Random(seed)

    def foretell(self, prompt: Sequence[int], written: Sequence[int], most: int) -> list[int]:
        told = self.replies[tuple(prompt)][len(written) : len(written) + most]
        return [(token + 1) % 100 if self.random.random() < self.wrong else token for token in told]


@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral", "qwen3"])
@pytest.mark.parametrize("wrong", [0.0, 0.3, 1.0])
async def test_true_and_false_guesses_change_no_word(
    models_folder: dict[str, Path], name: str, wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LocalChatModel.load(models_folder[name], dtype="float64", batch_size=5)
    engine, replies = model._engine, {}
    engine._ahead = Lookahead(0)  # guesses nothing
    rest = engine._store

    def noting(number: int, row) -> None:  # type: ignore[no-untyped-def]
        replies[tuple(row.job.prompt.tolist())] = list(row.written)
        rest(number, row)

    monkeypatch.setattr(engine, "_store", noting)
    without = await all_of(model, list(range(8)), 3, WARM)
    assert len({reply for talk in without.values() for reply in talk}) > 12

    model = LocalChatModel.load(models_folder[name], dtype="float64", batch_size=5)
    engine, prophet = model._engine, Prophet(replies, wrong, seed=3)
    engine._ahead = prophet
    monkeypatch.setattr(prophet, "most", lambda rows: 5)
    monkeypatch.setattr(
        engine,
        "_guesses",
        lambda row, most: prophet.foretell(
            row.job.prompt.tolist(), row.written, min(most, row.job.limit - len(row.written) - 1)
        ),
    )
    passes = count_tokens_read(model, monkeypatch)
    assert await all_of(model, list(range(8)), 3, WARM) == without
    tokens = sum(map(len, replies.values()))
    assert len(passes) <= tokens / 4 if wrong == 0 else len(passes) <= tokens
    assert len(passes) >= tokens * 0.9 or wrong < 1


async def test_the_embedded_model_says_the_same_in_fewer_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    talks, passes = [], []
    for allowed in (0, 160):
        model = LocalChatModel.load(base_path(), dtype="float64")
        model._engine._ahead = Lookahead(allowed)
        read = count_tokens_read(model, monkeypatch)
        messages: tuple[Message, ...] = ()
        for turn in range(16):
            messages += (Message("user", f"I feel {('tense', 'low')[turn % 2]} about the budget and the holiday."),)
            request = GenerationRequest("k", messages, turn, sampling=Sampling(0.7, max_tokens=60))
            messages += (Message("assistant", (await model.generate(request)).text),)
        talks.append(messages)
        passes.append(len(read))
    assert talks[0] == talks[1]
    assert passes[1] < passes[0]  # by little: the microcosm seldom says the same twice
