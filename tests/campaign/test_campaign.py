"""The campaign notices each kind of fault, draws the same tries from a seed, and meets none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from tests.campaign.kinds import KINDS
from tests.campaign.report import campaign, print_table, shares
from tests.campaign.tries import Kind, Scene, Verdict, attempt, command, equal

SEED, TRIES, FUZZ = 1, 500, 2000


def loses_a_turn(scene: Scene) -> str:
    equal([1, 2], [1, 2, 3], "turns")
    return "kept"


def goes_on(scene: Scene) -> str:
    while True:
        try:
            time.sleep(10)
        except Exception:  # no code that swallows errors hides a hang
            continue


def has_the_wrong_exit_code(scene: Scene) -> str:
    command("persona", "show", "nobody").expect(0)
    return "shown"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (lambda scene: "kept", "as expected"),
        (loses_a_turn, "wrong"),
        (has_the_wrong_exit_code, "wrong"),
        (goes_on, "hang"),
        (lambda scene: str(1 / 0), "traceback"),
        (lambda scene: sys.exit(3), "traceback"),
    ],
)
def test_each_fault_is_noticed(
    fault: Callable[[Scene], str], verdict: Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = {"planted": Kind(0, "planted", fault, limit_s=0.3 if verdict == "hang" else 60)}
    outcomes = campaign(kinds, seed=1, tries=2, fuzz=0, number=None, show=print)
    assert [outcome.verdict for outcome in outcomes["planted"]] == [verdict] * 2
    assert print_table(kinds, outcomes) == (0 if verdict == "as expected" else 2)
    assert ("seed 1, try 1" in capsys.readouterr().out) == (verdict != "as expected")


def test_a_try_is_drawn_from_the_seed_and_leaves_nothing_behind() -> None:
    folders = []

    def draws(scene: Scene) -> str:
        folders.append(scene.folder)
        (scene.folder / "file").write_text("x")
        return str(scene.rng.random())

    kind = Kind(0, "drawn", draws)
    words = [attempt("a", kind, seed, number).words for seed, number in ((1, 0), (1, 0), (1, 1), (2, 0))]
    assert words[0] == words[1]
    assert len(set(words)) == 3
    assert not any(folder.exists() for folder in folders)


def test_every_kind_gets_tries() -> None:
    share = shares(KINDS, TRIES)
    assert min(share.values()) >= 1
    assert TRIES <= sum(share.values()) < TRIES + len(KINDS)
    assert {kind.number for kind in KINDS.values()} >= set(range(1, 26))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", KINDS)
def test_the_campaign_meets_no_fault(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    tries = shares(KINDS, TRIES).get(name, 1)
    outcomes = campaign({name: KINDS[name]}, seed=SEED, tries=tries, fuzz=FUZZ, number=None, show=print)
    assert print_table(KINDS, outcomes) == 0, capsys.readouterr().out
