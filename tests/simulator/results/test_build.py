import json
import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from holdfast.agents.users.protocol import Intention
from holdfast.personas.schema import EmpathyPattern, Goal, MechanismLevels, Persona, TaskContext
from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import MeanEstimate
from holdfast.simulator.results.build import build_results
from holdfast.simulator.results.model import Results, results_schema
from tests.simulator.measure.making import PRIMARY, episode, specs

SCHEMA = results_schema()
COMPANION = (2.0, 1.0, 1.0)


def make_pattern(id, levels):
    target = dict(zip(("emotional_reaction", "interpretation", "exploration"), levels, strict=True))
    return EmpathyPattern(
        id=id, title=id.title(), description="d", assumption="a", target=MechanismLevels(**target), advice=1
    )


def make_task(id, pattern):
    words = ("one", "two", "three")
    return TaskContext(id=id, title=id, description="d", assumption="a", pattern=pattern, topics=words, needs=words)


def make_persona(id, task):
    goal = Goal(id="g", need="rest", topic="the week")
    return Persona(
        id=id,
        name=id,
        task=task,
        background="b",
        speech="plain",
        goals=(goal,),
        feelings=("tired",),
        topics=("the week",),
        desired_empathy=3,
    )


TASKS = {"burnout": make_task("burnout", "companion"), "bug_hunt": make_task("bug_hunt", "solver")}
PATTERNS = {"companion": make_pattern("companion", COMPANION), "solver": make_pattern("solver", (0, 0, 0))}
PERSONAS = {f"p{i}": make_persona(f"p{i}", "burnout" if i % 2 else "bug_hunt") for i in range(8)}


def conversation(candidate, persona, curve, seed=0, felt=3.0, **settings):
    """Adherence ``curve`` to the pattern of the persona's task: every mechanism off by 2 (1 - adherence), inwards."""
    task = PERSONAS[persona].task
    target = PATTERNS[TASKS[task].pattern].target.as_array()
    levels = [tuple(t + 2 * (1 - a) * (-1 if t > 1 else 1) for t in target) for a in curve]
    return episode(levels, candidate=candidate, persona=persona, task=task, seed=seed, felt=felt, **settings)


def study(curves, *, personas=tuple(PERSONAS), turns=8, noise=0.02, felt=None, seeds=2, **settings):
    """Each candidate's curve with a little noise, before every persona."""
    draw = np.random.default_rng(1)
    return [
        conversation(
            name,
            persona,
            np.clip(np.broadcast_to(curve, turns) - np.abs(draw.normal(0, noise, turns)), 0.5, 1),
            seed=seed,
            felt=(felt or {}).get(name, 3.0),
            max_turns=turns,
            recognised=PERSONAS[persona].task if name == "routed" else None,
            **settings,
        )
        for name, curve in curves.items()
        for persona in personas
        for seed in range(seeds)
    ]


def build(episodes, **settings):
    given = {
        "candidates": specs(episode.spec.candidate for episode in episodes),
        "raters": [PRIMARY],
        "tasks": TASKS,
        "patterns": PATTERNS,
        "personas": PERSONAS,
        "study_name": "t",
        "seed": 3,
        "baseline": "base",
        "timings_s": {"simulate": 1.5},
        "provenance": {"python": "3.11"},
        "draws": 200,
    }
    return build_results(episodes, **{**given, **settings})


def written(results):
    """What a reader of results.json gets."""
    return json.loads(results.model_dump_json())


LONG = 24
DECAY = {
    "base": 0.6,
    "system_prompt": np.linspace(0.95, 0.6, LONG),
    "routed": 0.95,
}


@pytest.fixture(scope="module")
def results():
    felt = {"base": 2.0, "system_prompt": 3.0, "routed": 4.0}
    said = Intention("feel", feeling="tired", topic="the week")
    words = {"said": said, "user": "I am tired of the week.", "reply": "Tired, I hear."}
    return build(study(DECAY, turns=LONG, felt=felt, **words))


def test_the_schema_is_one_and_results_follow_it(results):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(written(results), SCHEMA, cls=jsonschema.Draft202012Validator)
    assert Results.model_validate_json(results.model_dump_json()) == results


def test_every_number_of_the_schema_says_what_it_is():
    assert "Longest planned length" in SCHEMA["properties"]["turns"]["description"]
    retention = SCHEMA["$defs"]["CandidateResults"]["properties"]["retention"]
    assert retention["description"].startswith("Mean adherence of the last quarter / of the first")
    assert retention["$ref"] == "#/$defs/MeanEstimate"


def test_the_schema_refuses_what_is_not_a_result(results):
    good = written(results)
    for broken in (
        {**good, "schema_version": 1},
        {key: value for key, value in good.items() if key != "transcripts_sha256"},
        {**good, "candidates": {"x": {**good["candidates"]["base"], "retention": {"mean": "high"}}}},
        {**good, "transcripts_sha256": "abc"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_figures_by_hand(results):
    base, routed = results.candidates["base"], results.candidates["routed"]
    assert (results.turns, results.episodes, results.failed_episodes) == (24, 48, 0)
    # everybody wants 5 (desired 3 of 3) and feels 2, 3, 4: gaps 3, 2, 1; routed closes 1 - 1/3
    assert base.gap_abs.mean == pytest.approx(3)
    assert routed.gap_reduction.mean == pytest.approx(2 / 3)
    assert base.gap_reduction.mean == pytest.approx(0)
    assert base.score_factor.mean == pytest.approx(1)
    assert routed.score_factor.mean == pytest.approx(routed.adherence.mean / base.adherence.mean)
    assert routed.by_task["burnout"].gap.mean == pytest.approx(1)
    assert routed.by_task["burnout"].desired == 5
    assert [row.turn for row in base.adherence_by_turn] == list(range(1, 25))
    assert base.adherence_by_turn[0].n == 16
    # the base's conversation at companion: (2, 1, 1) is the only pattern that asks; 8 episodes of 24 turns count
    assert (base.naming.mean, base.naming.n) == (1.0, 8 * 24)
    assert (base.naming.feeling.mean, base.naming.topic.mean) == (1.0, 0.0)
    assert (results.router.accuracy, results.router.n) == (1.0, 16 * 24)
    assert results.router.confusion == {"bug_hunt": {"bug_hunt": 192}, "burnout": {"burnout": 192}}
    assert base.felt_by_dimension["interest"].mean == 2.0


def test_decay_shows_where_it_is_and_only_there(results):
    base, prompt, routed = (results.candidates[name] for name in ("base", "system_prompt", "routed"))
    assert prompt.retention.hi < 0.85
    assert routed.retention.lo > 0.95
    assert base.retention.mean == pytest.approx(1, abs=0.03)
    assert prompt.slope_per_turn.hi < 0 < prompt.adherence_first_two_turns.lo
    assert prompt.first_violation_median_turn is not None
    assert routed.first_violation_median_turn is None
    assert routed.notes["first_violation_median_turn"] == "never falls to half: 100% unbroken at turn 22"
    assert routed.half_life_turns is None
    assert routed.half_life_note == "no fall is shown (steady)"
    assert routed.survival[-1] == SurvivalPoint(turn=22, share=1.0, lo=None, hi=None, at_risk=16, events=0)


def test_pairs(results):
    rows = {(row.a, row.b, row.metric): row for row in results.pairwise}
    assert len(rows) == 6
    row = rows["routed", "system_prompt", "adherence_last_quarter"]
    assert row.lo > 0.2
    assert (row.n, row.people, row.pairs, row.family) == (16, 8, 2, "trained and untrained")
    assert row.p < 0.05
    assert rows["base", "system_prompt", "adherence_last_quarter"].family == "alike"


def test_the_order_of_episodes_changes_nothing():
    episodes = study({"base": 0.6, "routed": 0.9})
    assert build(episodes[::-1]) == build(episodes)
    assert build(episodes, seed=6).candidates != build(episodes).candidates


def test_the_headline_of_the_expected_outcome(results):
    routed, prompt = (results.candidates[name].retention for name in ("routed", "system_prompt"))
    per_cent = [f"{100 * r.mean:.0f} % [{100 * r.lo:.0f}, {100 * r.hi:.0f}]" for r in (routed, prompt)]
    span = "of adherence to the empathy pattern from the first to the last quarter of 24 turns"
    start = f"Routed experts kept {per_cent[0]} {span}; the system prompt kept {per_cent[1]}; "
    assert results.headline.startswith(start)
    named = "the system prompt (the strongest untrained)"
    assert f"in the last quarter routed experts adhered more than {named}, by 0." in results.headline
    assert (
        "all 2 pairs of trained and untrained together; this design would have shown a difference of"
        in results.headline
    )


def test_the_headline_where_nobody_is_trained_says_so_of_no_pair():
    line = build(study({"base": 0.6, "system_prompt": 0.9, "system_prompt_with_reminder": 0.7})).headline
    assert ", all 3 pairs together; this design" in line
    assert "trained" not in line


def test_the_headline_when_nothing_decays():
    line = build(study({"system_prompt": 0.95, "routed": 0.95}, noise=0.03)).headline
    assert "kept 100 %" in line or "kept 99 %" in line or "kept 101 %" in line
    said = "the adherence of routed experts is not shown to differ from that of the system prompt (higher by "
    assert f"in the last quarter {said}" in line or "in the last quarter the adherence of the system prompt" in line


def test_the_headline_when_the_prompt_wins():
    line = build(study({"system_prompt": 0.95, "routed": np.linspace(0.95, 0.6, 8)})).headline
    assert "in the last quarter the system prompt adhered more than routed experts, by 0." in line


def test_the_headline_when_adherence_rises():
    assert build(study({"base": np.linspace(0.6, 0.95, 8)})).headline.startswith("The base model rose to 1")


def test_the_headline_of_one_candidate_and_one_persona():
    found = build(study({"my bot": 0.9}, personas=("p1",)))
    assert found.headline.startswith("“my bot” ")
    assert "[" not in found.headline  # no limits from one person
    assert "; in the last quarter it was 0.8" in found.headline
    assert (
        found.candidates["my bot"]
        .notes["intervals"]
        .startswith("no interval and no verdict: 1 person: cannot be tested")
    )


def test_the_headline_falls_back_on_the_baseline_and_on_names():
    line = build(study({"base": 0.6, "my adapter": 0.9})).headline
    assert line.startswith("“my adapter” ")
    assert "; the base model " in line
    both = build(study({"b": 0.6, "a": 0.9, "c": 0.7}), baseline="b")
    assert both.headline.startswith("“a” ")


def test_the_headline_when_nobody_reached_the_end():
    short = [conversation(name, f"p{i}", [0.9] * 3, max_turns=8) for name in ("routed", "base") for i in range(4)]
    found = build(short)
    assert found.headline == (
        "What routed experts kept is undefined (no conversation reached the last quarter); what the base model kept is "
        "undefined (no conversation reached the last quarter); no user met both in the last quarter, so they cannot be "
        "compared there."
    )
    jsonschema.validate(written(found), SCHEMA)


def test_nothing_at_all():
    for episodes in ([], [conversation("base", "p1", [], error="no answer")]):
        found = build(episodes)
        jsonschema.validate(written(found), SCHEMA)
        assert found.headline
    assert build([]).headline == "Nothing was measured: no conversation has a turn."


def test_undefined_is_null_with_a_note():
    found = build(study({"routed": 0.9}), baseline=None)
    routed = found.candidates["routed"]
    assert found.baseline is None
    assert routed.gap_reduction == MeanEstimate(mean=None, lo=None, hi=None, n=0)
    assert routed.notes["gap_reduction"] == "undefined: the study has no baseline"
    assert routed.naming.mean is None
    assert routed.notes["naming"].startswith("undefined: ")
    assert build(study({"base": 0.9})).router is None


def test_failed_conversations_are_counted_and_give_their_turns():
    episodes = [*study({"base": 0.6}), conversation("base", "p1", [0.6] * 2, seed=9, error="the server went away")]
    found = build(episodes)
    assert (found.failed_episodes, found.candidates["base"].failed) == (1, 1)
    assert [row.n for row in found.candidates["base"].adherence_by_turn[1:3]] == [17, 16]


def test_unfinished_conversations_are_counted():
    finished = conversation("base", "p1", [0.6] * 4, seed=7)
    finished = replace(finished, turns=(*finished.turns[:-1], replace(finished.turns[-1], stop="max turns")))
    failed = conversation("base", "p1", [0.6] * 2, seed=8, error="the server went away")
    begun, waiting = conversation("base", "p1", [0.6] * 2, seed=9), conversation("base", "p2", [], seed=9)
    assert [each.unfinished for each in (finished, failed, begun, waiting)] == [False, False, True, True]
    assert build([finished, failed, begun, waiting]).unfinished_episodes == 2


def test_what_is_handed_through():
    people = {"nodes": [{"id": "a1", "persona": "p1", "task": "burnout", "felt": math.nan}], "edges": []}
    found = build(study({"base": 0.6}), population=people)
    assert found.population.nodes[0].felt is None
    assert found.timings_s == {"simulate": 1.5}
    assert found.provenance == {"python": "3.11"}
    jsonschema.validate(written(found), SCHEMA)


def test_the_error_of_each_mechanism_is_its_distance_from_the_target():
    # adherence .75 is 2 (1 - .75) = .5 off, in levels, for every mechanism of the solver's and the companion's target
    (base,) = build([conversation("base", who, [0.75] * 2) for who in ("p0", "p1")]).candidates.values()
    assert [[point.mean for point in curve] for curve in base.mechanism_error_by_turn.values()] == [[0.5, 0.5]] * 3
