"""The page as text: every section is there, absent parts become a sentence, and no model's words become markup."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec
from holdfast.simulator.report.page import write_report
from holdfast.simulator.report.provenance import rater_card
from holdfast.simulator.report.series import palette_of
from holdfast.simulator.report.transcripts import embed, safe_json
from holdfast.simulator.results.model import Results
from tests.simulator.report.make_fixture import (
    CANDIDATES,
    make_episodes,
    make_personas,
    make_results,
    make_study,
    with_candidate,
)

PEOPLE = make_personas(per_task=1)
SPOKEN = make_episodes(PEOPLE, turns=6, seeds=1)
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> javascript:alert(3) \u2028\u2029 \ud800 {{7*7}}"


NAMED = EVIL.replace("\ud800", "")  # results hold text that UTF-8 can hold


class Outline(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        self.open.append(tag)

    def handle_endtag(self, tag):
        self.open.append("/" + tag)

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data


@pytest.fixture
def results():
    return make_results(turns=6)


def page(tmp_path, results, episodes=SPOKEN, personas=PEOPLE, **more):
    path = write_report(tmp_path / "report.html", results, episodes, personas, **more)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]  # no draft is left behind
    return path.read_text(encoding="utf-8")


def test_every_section_stands_on_the_page_and_ids_are_unique(tmp_path, results):
    outline = Outline(page(tmp_path, results))
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = "top decay mechanisms gap survival routing pairs population transcripts making"
    assert set(wanted.split()) <= set(ids)
    for _, attrs in outline.tags:
        for name in ("aria-labelledby", "for"):
            assert set(attrs.get(name, "").split()) <= set(ids)


def test_headline_gives_shares_with_intervals(tmp_path, results):
    results = with_candidate(results, "routed", retention=Estimate(mean=0.994, lo=0.97, hi=1.02))
    results = with_candidate(results, "system_prompt_with_reminder", retention=Estimate(mean=0.61, lo=0.55, hi=0.67))
    text = page(tmp_path, results)
    h1 = re.sub(r"<[^>]+>|\s+", " ", re.search(r"<h1.*?</h1>", text, re.S).group())
    assert " ".join(h1.split()) == (
        "Over 6 turns, routed kept 99 % of its adherence (95 % interval 97 to 102 %) ; "
        "system_prompt_with_reminder kept 61 % (55 to 67 %) ."
    )


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("trained and untrained", "a trained and an untrained candidate"),
        ("alike", "two candidates of a kind, trained or untrained,"),
    ],
)
def test_the_deck_says_which_pairs_the_limits_hold_for(family, kind, tmp_path, results):
    pairs = [pair.model_copy(update={"family": family, "pairs": 6}) for pair in results.pairwise]
    text = page(tmp_path, results.model_copy(update={"pairwise": pairs}))
    assert f"limits that hold for all 6 pairs of {kind} together" in text


def test_microcosm_banner_follows_the_provenance(tmp_path, results):
    words = "not how your model will"
    assert words in page(tmp_path, results)
    results.provenance["microcosm"] = False
    assert words not in page(tmp_path, results)


def test_nothing_points_outside(tmp_path, results):
    outline = Outline(page(tmp_path, results))
    for tag, attrs in outline.tags:
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", (tag, value)  # the policy would refuse it
            if name in ("src", "href", "action", "xlink:href"):
                assert value.startswith("#") or value == "data:,", (tag, value)


def poisoned(results):
    """Every string of the results that a person or a model chose, and one candidate's name, turned hostile."""
    bad = results.model_dump()
    bad["candidates"] = {NAMED if name == "adapter" else name: part for name, part in bad["candidates"].items()}
    for row in [*bad["pairwise"], *bad["pairwise_survival"]]:
        row.update({side: NAMED for side in "ab" if row[side] == "adapter"})
    for row in bad["harmed"]:
        row.update(candidate=NAMED if row["candidate"] == "adapter" else row["candidate"], task=NAMED)
    bad["study"] = bad["provenance"]["command"] = NAMED
    bad["provenance"] |= {NAMED: NAMED, "ablation": [{NAMED: NAMED, "x": 1.0}]}
    bad["timings_s"][NAMED] = 1.0
    bad["router"]["confusion"][NAMED] = {NAMED: 3}
    for node in bad["population"]["nodes"]:
        node["persona"] = NAMED
    for task in bad["tasks"].values():
        task["title"] = NAMED
    for candidate in bad["candidates"].values():
        candidate.update(half_life_note=NAMED, notes={NAMED: NAMED})
    return Results.model_validate(bad)


def poisoned_episodes():
    return [
        EpisodeRecord(
            replace(e.spec, candidate=NAMED if e.spec.candidate == "adapter" else e.spec.candidate),
            tuple(replace(t, user=EVIL, reply=EVIL, adapter=EVIL, recognised_task=EVIL, stop=EVIL) for t in e.turns),
            error=EVIL,
        )
        for e in SPOKEN
    ]


def test_hostile_text_stays_text(tmp_path, results):
    clean = page(tmp_path, results)
    people = {id: p.model_copy(update={"name": "<script>x</script>", "background": EVIL}) for id, p in PEOPLE.items()}
    text = page(tmp_path, poisoned(results), poisoned_episodes(), people)
    before, after = Outline(clean), Outline(text)
    assert [t for t, _ in after.tags].count("script") == [t for t, _ in before.tags].count("script") == 2
    assert "img" not in {t for t, _ in after.tags}
    assert not any(name.startswith("on") for _, attrs in after.tags for name in attrs)
    assert after.scripts[1] == before.scripts[1]  # the page's own script, which the policy names by its hash
    assert "49" not in json.loads(after.scripts[0])["candidates"][3]  # templates in model text are not run
    said = json.loads(after.scripts[0])["groups"][0]["episodes"][0]["turns"][0]["r"]
    assert said == EVIL.replace("\ud800", r"\ud800").replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")
    assert "\u2028" not in after.scripts[0]


@pytest.mark.parametrize("char", ["<", ">", "&", "\u2028", "\u2029"])
def test_safe_json_holds_no_dangerous_character_and_reads_back(char):
    text = safe_json({char: [char, "é"]})
    assert char not in text
    assert json.loads(text) == {char: [char, "é"]}


def test_absent_parts_are_left_out(tmp_path, results):
    del results.provenance["ablation"]
    gone = {"router": None, "population": None, "pairwise": [], "timings_s": {}}
    results = results.model_copy(update={**gone, "failed_episodes": 3, "unfinished_episodes": 2})
    empty = {name: [] for name in MECHANISMS}
    for name in results.candidates:
        without = {"survival": [], "mechanism_by_turn": empty, "mechanism_error_by_turn": empty, "by_task": {}}
        results = with_candidate(results, name, **without)
    text = page(tmp_path, results, episodes=[])
    for sentence in (
        "No conversation was handed to this page.",
        "The recipe ablation was not run",
        "3 of 48 conversations failed",
        "2 of 48 conversations are unfinished",
    ):
        assert sentence in text, sentence
    for name in ("routing", "pairs", "survival", "mechanisms", "gap", "population"):
        assert f'id="{name}"' not in text
        assert f'href="#{name}"' not in text
    assert "Where the time went" not in text


def test_columns_without_a_figure_are_left_out(tmp_path):
    results = make_results(24)
    everything = page(tmp_path, results)
    blank = Estimate(mean=None, lo=None, hi=None)
    for name, each in results.candidates.items():
        slopes = each.holding.mixed_slope.model_copy(
            update={"without_closing": blank, "all_turns_beside_length": blank}
        )
        point = each.holding.change_point.model_copy(update={"turn": None})
        holding = each.holding.model_copy(update={"mixed_slope": slopes, "change_point": point})
        results = with_candidate(results, name, holding=holding, half_life_turns=None, first_violation_median_turn=None)
    pairs = [pair.model_copy(update={"p_holm": None}) for pair in results.pairwise_survival]
    text = page(tmp_path, results.model_copy(update={"pairwise_survival": pairs}))
    for heading in (
        "Level changes at turn",
        "Without the closing turns",
        "Reply length held equal",
        "Does one break sooner",
    ):
        assert heading in everything, heading
        assert heading not in text, heading
    assert "All turns</th>" in text
    assert "Slope in 10 turns" in text


def test_undefined_numbers_show_as_a_dash_never_as_nan(tmp_path, results):
    def blank(value, key=""):
        if isinstance(value, dict):
            return {k: blank(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [blank(v, key) for v in value]
        return float("nan") if isinstance(value, float) and key != "above" else value

    raw = results.model_dump()
    text = page(tmp_path, Results.model_validate({**raw, "candidates": blank(raw["candidates"])}))
    assert not re.search(r"\bnan\b|\bNone\b", text.split("<script>")[0])
    assert "Retention is undefined here" in text
    assert "No turn was measured" in text


@pytest.mark.parametrize(("turns", "names"), [(1, ("base",)), (1, tuple(CANDIDATES)), (6, ("base",)), (6, ("routed",))])
def test_one_candidate_or_one_turn(tmp_path, turns, names):
    text = page(tmp_path, *make_study(turns, names))
    assert 'class="dot' in text if turns == 1 else 'class="line' in text


def test_no_candidates_at_all(tmp_path):
    assert "No candidate left any results." in page(tmp_path, *make_study(6, ()))


def test_failed_episode_says_why(tmp_path, results):
    spec = EpisodeSpec("burnout_0", "burnout", "routed", 1, 6)
    others = [e for e in SPOKEN if e.spec.id != spec.id]
    text = page(tmp_path, results, [*others, EpisodeRecord(spec, (), "the endpoint answered 500")])
    assert "the endpoint answered 500" in text


def test_a_small_budget_keeps_whole_groups_and_says_what_is_left_out(tmp_path, results):
    whole = embed(results, SPOKEN, PEOPLE, palette_of(results))
    assert whole.shown == whole.total == len(SPOKEN) == 48
    part = embed(results, SPOKEN, PEOPLE, palette_of(results), budget=len(whole.json) // 2)
    assert part.shown % len(CANDIDATES) == 0
    assert 12 <= part.shown <= 24
    assert len(part.json) <= len(whole.json) // 2 + 300
    assert f"carries {part.shown} of 48 conversations" in page(tmp_path, results, budget=len(whole.json) // 2)
    assert embed(results, SPOKEN, PEOPLE, palette_of(results), budget=1).shown == len(CANDIDATES)


def test_a_small_budget_shows_every_task_before_a_second_persona(results):
    people = make_personas(per_task=2)
    episodes = make_episodes(people, turns=2, seeds=2, candidates=["base", "routed"])
    one = len(safe_json(embed(results, episodes[:1], people, palette_of(results)).data["groups"][0]))
    chosen = embed(results, episodes, people, palette_of(results), budget=one * 2 * 9).data["groups"]
    assert {g["task"] for g in chosen} == {t.title for t in results.tasks.values()}


def test_the_card_of_a_shipped_rater_stands_on_the_page_and_no_others_does() -> None:
    assert "## Where it fails" in (rater_card("linear") or "")
    assert rater_card("my-own") is None


def test_hidden_characters_are_written_out_on_the_page(tmp_path, results):
    steering = "a\0b\x1b[2J\x9b1m \u202eright to left\ud800"
    episodes = [replace(e, error=steering, turns=[replace(t, reply=steering) for t in e.turns]) for e in SPOKEN]
    text = page(tmp_path, results, episodes)
    assert not set(text) & set("\0\x1b\x9b\u202e\ud800")
    said = json.loads(Outline(text).scripts[0])["groups"][0]["episodes"][0]["turns"][0]["r"]
    assert said == r"a\u0000b\u001b[2J\u009b1m \u202eright to left\ud800"


def test_long_messages_are_cut_and_the_page_keeps_its_size(tmp_path, results):
    spoken = SPOKEN[0].turns[0]
    whole = embed(
        results, [replace(SPOKEN[0], turns=[replace(spoken, reply="x" * 12_345)])], PEOPLE, palette_of(results)
    )
    said = whole.first["episodes"][0]["turns"][0]["r"]
    assert said == "x" * 4_000 + "… (12,345 characters, whole in the journal)"
    endless = [replace(spoken, turn=turn, reply="<" * 5_000) for turn in range(1, 10_001)]
    text = page(tmp_path, results, [replace(e, turns=endless) for e in SPOKEN[: len(CANDIDATES)]])
    assert len(text) < 15_000_000
