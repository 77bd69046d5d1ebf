"""One page never contradicts itself: each pair of sentences that did is held together, over studies drawn at random.

=========================================  ===================================================================
what spoke of one thing in two ways        what both rest on now
=========================================  ===================================================================
"falls" / "does not decay"                 ``HoldsResults.course``: half-life, floor and shape only where it falls
"interval leaves out 0" / p = .502         ``PairResults``: limits and p of one max-t bootstrap
bold in one table, not in the other        ``PairResults.shown``: each pair stands in one table, with one verdict
"adhered more" / "undecided"               ``PairResults.verdict``, in headline, page, table and screen
"kept" / "rose to"                         ``verb_of``, by the course
"not shown" / a difference above the       ``PairResults.smallest``: from the limits that the verdict rests on
smallest that the design would have shown
"Harm." / "not shown"                      ``TaskHarm.shown``: the banner says which of both
worse than base / not shown to differ      ``holds(shown_below_base=...)``
a step / no change of level                the step stands where the change point is, or there is none
"falls" / "kept 97 % [94, 101]"             ``course_of``: by the change and by retention's limits
"still holds" (survival) / "does not hold" the word is the verdict's alone; survival says "unbroken"
at least 2 people / at least 5             ``too_few``
=========================================  ===================================================================
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.cli.studies.summary import VERDICTS, print_summary
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.report.page import write_report
from holdfast.simulator.results.headline import choose
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.pairs import pair_of
from tests.simulator.results.test_build import PERSONAS, build, conversation
from tests.simulator.results.test_stopped import SPANISH, with_rating

#: A study takes half a second to measure and draw, so that none is shrunk: its figures are small enough to read.
ONCE = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}
NAMES = ("base", "oracle", "routed", "system_prompt")


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", html, flags=re.S)).split())


def section(page: str, name: str) -> str:
    return re.search(rf'<section id="{name}".*?</section>', page, re.S).group()


Arm = tuple[float, float, float, bool, int]  # first and last level, noise, step or line, people unrated at the end
LEVEL = st.sampled_from([0.5, 0.62, 0.7, 0.74, 0.8, 0.9])
ARM = st.tuples(LEVEL, LEVEL, st.sampled_from([0.0, 0.03, 0.15]), st.booleans(), st.integers(0, 2))
ARMS = st.lists(ARM, min_size=1, max_size=4)
TURNS = st.sampled_from([8, 12])


def held(arms: list[Arm], people: int, turns: int, seed: int) -> list[EpisodeRecord]:
    """Candidates whose adherence starts, ends and jumps anywhere, before so many people, some with unrated replies."""
    random, episodes = np.random.default_rng(seed), list[EpisodeRecord]()
    for name, (start, end, noise, step, unrated) in zip(NAMES, arms, strict=False):
        curve = np.where(np.arange(turns) < turns // 2, start, end) if step else np.linspace(start, end, turns)
        for number in range(people):
            row = np.clip(curve + random.normal(0, noise, turns), 0.5, 1)
            spoken = conversation(name, f"p{number}", row, max_turns=turns)
            episodes.append(with_rating(spoken, SPANISH, turns) if number < unrated else spoken)
    return episodes


def shown(episodes: list[EpisodeRecord], out: Path) -> tuple[Results, str, str]:
    """What was measured, the page, and the screen."""
    results = build(episodes, draws=100)
    page = write_report(out / "report.html", results, episodes, PERSONAS).read_text(encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as screen:
        print_summary(results, out)
    return results, page, screen.getvalue()


@settings(max_examples=8, **ONCE)
@given(ARMS, st.integers(5, 8), TURNS, st.integers(0, 99))
def test_no_two_sentences_of_a_study_contradict_each_other(
    tmp_path: Path, arms: list[Arm], people: int, turns: int, seed: int
) -> None:
    results, page, screen = shown(held(arms, people, turns, seed), tmp_path)
    check_falls(results, page)
    check_pairs(results, page)
    check_headline(results, page, screen)
    check_holding(results, page, screen)
    check_harm(results, page, screen)


def check_falls(results: Results, page: str) -> None:
    said = plain(page.split("<script>", maxsplit=1)[0])
    assert "does not decay" not in said
    assert "still hold" not in said
    for each in results.candidates.values():
        kept = each.holding
        if kept.holds.course == "falls":
            assert "no fall is shown" not in each.half_life_note + kept.shape.note
            assert not kept.shape.note.startswith("constant")
            assert kept.holds.change.outcome != "passed"
            assert each.retention.hi is None or each.retention.hi < 1 or kept.holds.change.outcome == "failed"
        else:
            assert (each.half_life_turns, kept.exponential.floor.mean, kept.shape.preferred) == (None, None, None)
            assert each.half_life_note == f"no fall is shown ({kept.holds.course})"
        if kept.shape.preferred == "step" or "step" in kept.shape.behind:
            assert kept.change_point.turn is not None
        if each.half_life_turns is not None:
            assert kept.shape.preferred != "step"


def check_pairs(results: Results, page: str) -> None:
    names = [(pair.metric, frozenset((pair.a, pair.b))) for pair in results.pairwise]
    assert len(names) == len(set(names))  # one comparison of two candidates in a metric, and no second one
    rows = re.findall(r"<tr( class=\"sure\")?><td>(.*?)</tr>", section(page, "pairs"), re.S) if results.pairwise else []
    assert len(rows) == len(results.pairwise)
    for pair, (bold, row) in zip(results.pairwise, rows, strict=True):
        assert pair.excludes_zero == (pair.p < 0.05 and not pair.reason)
        assert pair.reason in row
        assert bool(bold) == pair.shown == (pair.p < 0.05 and not pair.doubt)
        assert ("undecided" in row) == bool(pair.doubt)
        assert pair.shown or pair.doubt or pair.reason or abs(pair.mean) <= pair.smallest


def check_headline(results: Results, page: str, screen: str) -> None:
    top, said = plain(section(page, "top")), results.headline
    assert said in " ".join(screen.split())
    for verb in ("kept", "rose to"):
        assert said.count(f" {verb} ") == plain(re.search("<h1.*?</h1>", page, re.S).group()).count(f" {verb} ")
    first, second = choose(results.candidates, results.baseline)
    pair = None if second is None else pair_of(results.pairwise, first, second)
    if pair is None:
        return
    more = "adhered more (to the expected pattern )?than"
    words = {"higher": more, "lower": more, "not shown": "is not shown to", "undecided": "undecided"}
    for text in (said.split("; ", 2)[2], top.split("Gap reduction", 1)[0]):
        for verdict in set(words.values()):
            assert bool(re.search(verdict, text)) == (verdict == words[pair.verdict]), (verdict, text)
    if pair.verdict != "undecided":
        assert f"{abs(pair.mean):.2f}" in said
        would = "" if pair.reason else f"would have shown a difference of {pair.smallest:.2f}"
        assert would in said
        assert bool(would) == ("would have shown" in said)
    ends = {name: each.adherence_last_quarter.mean or 0 for name, each in results.candidates.items()}
    for name in (first, second):
        alike = [other for other in ends if results.candidates[other].trained == results.candidates[name].trained]
        if f"{results.candidates[name].title} (the strongest" in said:
            assert ends[name] == max(ends[other] for other in alike)


def check_holding(results: Results, page: str, screen: str) -> None:
    table = section(page, "holding")
    rows = re.findall(r'<th scope="row">.*?<bdi>(\w+)</bdi>.*?</th><td>([\w ]+) <small>(.*?)</small>', table, re.S)
    for (name, verdict, why), (known, each) in zip(rows, results.candidates.items(), strict=True):
        tested = each.holding.holds
        assert (name, verdict) == (known, tested.verdict)
        assert why.startswith(tested.why)
        (line,) = [line for line in screen.splitlines() if re.match(rf"{name}\s", line)]
        assert line.endswith(f"  {VERDICTS[tested.verdict]}")
        if tested.base.outcome == "failed":
            assert pair_of(results.pairwise, name, results.baseline).shown
        if tested.verdict == "holds":
            assert tested.course == "steady"


def check_harm(results: Results, page: str, screen: str) -> None:
    top, any_shown = plain(section(page, "top")), any(each.shown for each in results.harmed)
    assert ("Harm. " in top) == any_shown
    assert ("Perhaps harm, none shown." in top) == (bool(results.harmed) and not any_shown)
    assert ("(shown: " in top) == ("(shown: " in screen) == any_shown


@settings(max_examples=6, **ONCE)
@given(ARMS, st.integers(1, 4), TURNS, st.integers(0, 99))
def test_nothing_is_said_of_fewer_than_five_people(
    tmp_path: Path, arms: list[Arm], people: int, turns: int, seed: int
) -> None:
    """No interval, no verdict, nothing bold; "2 people: cannot be tested" on the page and on the screen."""
    results, page, screen = shown(held(arms, people, turns, seed), tmp_path)
    few = f"{people} {'person' if people == 1 else 'people'}: cannot be tested"
    assert few in plain(section(page, "top"))
    assert few in screen
    assert 'class="sure"' not in page
    for name in ("top", "holding", "decay", "survival"):
        assert not re.search(r'class="(interval|ci)">(?!no interval)[^<]', section(page, name)), name
    assert not re.search(r"\d \[[\d.-]", screen)
    for each in results.candidates.values():
        assert each.holding.holds.verdict == "cannot be told"
        assert each.half_life_turns is None
        assert each.holding.change_point.turn is None
        assert all(point.lo is point.hi is None for point in (*each.survival, *each.adherence_by_turn))
    for pair in results.pairwise:
        assert (pair.lo, pair.hi, pair.p, pair.shown) == (None, None, None, False)
    for test in results.pairwise_survival:
        assert (test.p, test.p_paired) == (None, None)


def test_the_words_of_the_audit_are_gone(tmp_path: Path) -> None:
    """A prompt that falls in the holding section, and of which the next section said that it does not decay."""
    random = np.random.default_rng(0)
    curve = np.linspace(0.86, 0.76, 12)
    episodes = [
        conversation("system_prompt", f"p{n}", np.clip(curve + random.normal(0, 0.05, 12), 0.5, 1), max_turns=12)
        for n in range(8)
    ]
    results, page, _ = shown(episodes, tmp_path)
    prompt = results.candidates["system_prompt"]
    assert prompt.holding.holds.course == "falls"
    assert "no fall" not in plain(section(page, "survival")) + plain(section(page, "holding"))
    assert prompt.half_life_note in plain(section(page, "survival"))


@pytest.mark.parametrize("rating", [SPANISH, Rating(disqualified="loop", evidence="x")])
def test_a_doubted_pair_is_bold_nowhere(tmp_path: Path, rating: Rating) -> None:
    base = [conversation("base", f"p{n}", [0.6] * 8) for n in range(6)]
    routed = [conversation("routed", f"p{n}", [0.9] * 8) for n in range(6)]
    episodes = [*base, *[with_rating(each, rating, 7, 8) for each in routed[:3]], *routed[3:]]
    results, page, screen = shown(episodes, tmp_path)
    pair = pair_of(results.pairwise, "routed", "base")
    doubted = rating is SPANISH
    assert (pair.verdict == "undecided") == doubted
    assert ("undecided" in plain(section(page, "top"))) == ("undecided" in screen) == doubted
