"""A pattern on the scale of a judge of one's own: a study on a scripted server, to its page, and a log measured so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast import Run, Study
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from holdfast.simulator.labelling.planning import plan_labels
from holdfast.simulator.monitor.progress import RunFigures
from holdfast.simulator.monitor.status import StatusReader
from holdfast.simulator.monitor.viewer import Viewer
from holdfast.simulator.runtime.pipeline import run_pipeline
from tests.agents.raters.judge.judge_server import Asked
from tests.passages import exchange
from tests.servers.answers import Body, scripted
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running

PATTERN = """\
id: clear_desk
title: Clear desk
description: One step at a time, friendly.
scale: desk
target: {clarity: 5, warmth: 3}
words:
  clarity: Give one step at a time, in plain words.
  warmth: Be friendly, and no more.
advice: 2
"""
TASK = """\
id: broken_line
title: A broken line
description: The connection is down.
pattern: clear_desk
topics: [the router, the cable, the bill]
needs: [restart the router, check the cable, read the bill]
"""
PERSONA = """\
id: ada_desk
name: Ada Desk
task: broken_line
background: Works from home.
speech: plain
goals: [{id: restart, need: restart the router, topic: the router}]
feelings: [annoyed]
topics: [the router]
desired_empathy: 2
"""
DESK = {
    "id": "desk",
    "low": 1,
    "high": 5,
    "dimensions": {"clarity": "5 = one step at a time", "warmth": "5 = very warm"},
}
SCORES = {"clarity": 4, "warmth": 2}  # each 1 from its target, of a width of 4: adherence .75


def answer(body: Body) -> str:
    if body["model"] != "judge":
        return scripted(body)
    asked = Asked(dict(body))
    return json.dumps({"id": asked.mark, **{name: SCORES[name] for name in asked.dimensions}})


def files(folder: Path, base_url: str, *, pattern: str = PATTERN, raters: Any = None, **more: Any) -> Path:
    for name, text in (("pattern", pattern), ("task", TASK), ("persona", PERSONA)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    judge = {"kind": "judge", "model": "openai:judge", "base_url": base_url, "name": "desk judge", "scale": DESK}
    fields = {
        "model": {"ref": "openai:m", "base_url": base_url},
        "tasks": ["task.yaml"],
        "patterns": ["pattern.yaml"],
        "personas": {"files": ["persona.yaml"]},
        "candidates": ["base", "system_prompt"],
        "raters": [judge, "linear"] if raters is None else raters,
        "turns": 3,
        **more,
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(fields, sort_keys=False), encoding="utf-8")
    return path


def test_a_study_on_a_judges_own_scale_to_its_page(tmp_path: Path) -> None:
    with running(ScriptedServer(answer=answer, keep=True)) as server:
        study = Study.from_yaml(files(tmp_path, server.base_url))
        run = study.run(tmp_path / "run")
        prompts = [body["messages"][0]["content"] for body in server.requests if body["model"] == "m"]
        asked = [body["messages"][0]["content"] for body in server.requests if body["model"] == "judge"]
    pattern = study.config.world.patterns["clear_desk"]
    said = pattern_prompt(pattern)
    assert "Give one step at a time, in plain words. Be friendly, and no more." in said
    assert said in prompts
    assert all("5 = one step at a time" in text and "5 = very warm" in text for text in asked)

    results = run.results
    assert results.raters[0].scale.dimensions == ("clarity", "warmth")
    assert results.patterns["clear_desk"].target == {"clarity": 5, "warmth": 3}
    for each in results.candidates.values():
        assert each.adherence.mean == pytest.approx(0.75)
        assert [point.mean for point in each.mechanism_by_turn["clarity"]] == [4, 4, 4]
        assert [point.mean for point in each.mechanism_error_by_turn["warmth"]] == [1, 1, 1]
        assert each.holding.repetition.reused.keys() == {"clarity", "warmth"}

    for episode in read_episodes(tmp_path / "run" / JOURNAL):
        for turn in episode.turns:
            assert turn.primary.values == SCORES
            assert turn.ratings["linear"] == LinearRater().score([exchange(turn.user, turn.reply)])[0]
            assert len(turn.felt) == 7  # people go on by what linear rates
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The first rater rates desk: clarity, warmth, 1 to 5 each." in page
    assert '<abbr title="clarity, 1 to 5; the rule is the target">clarity</abbr>' in page
    assert "emotional reaction" not in page.split('id="mechanisms"')[1].split("</section>")[0]
    turns = Run.open(tmp_path / "run").turns()
    assert json.loads(turns["levels"][0]) == SCORES
    assert turns["emotional_reaction"].isna().all()
    assert run_command(["report", str(tmp_path / "run"), "--quiet"]) == 0
    assert run_command(["status", str(tmp_path / "run"), "--quiet"]) == 0
    with pytest.raises(InputError, match="its curves are on the scale desk"):
        plan_labels(tmp_path / "run")


def test_a_log_is_measured_on_a_judges_own_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pattern.yaml").write_text(PATTERN, encoding="utf-8")
    talk = [{"role": role, "content": f"{role} says {n}"} for n in range(3) for role in ("user", "assistant")]
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"messages": talk}) + "\n", encoding="utf-8")
    with running(ScriptedServer(answer=answer)) as server:
        rater = json.dumps({"kind": "judge", "model": "openai:judge", "base_url": server.base_url, "scale": DESK})
        measure = ["measure", str(log), "--rater", rater]
        own = ["--patterns", str(tmp_path / "pattern.yaml"), "--pattern", "clear_desk"]
        assert run_command([*measure, *own, "--out", str(tmp_path / "out"), "--json"]) == 0
        measures = json.loads(capsys.readouterr().out)["groups"]["all"]["measures"]
        assert measures["adherence"]["mean"]["mean"] == pytest.approx(0.75)
        assert measures["clarity"]["mean"]["mean"] == pytest.approx(4)
        assert "expressed" not in measures
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "The first rater rates desk: clarity, warmth, 1 to 5 each." in page
        assert run_command([*measure]) == 2
        assert "or name a pattern on that scale with --pattern" in capsys.readouterr().err
        assert run_command([*measure, "--pattern", "companion"]) == 2
        assert "pattern 'companion': " in capsys.readouterr().err


@pytest.mark.usefixtures("desk_rater")
def test_a_rater_of_another_package_brings_its_scale(tmp_path: Path) -> None:
    with running(ScriptedServer(answer=answer)) as server:
        study = Study.from_yaml(files(tmp_path, server.base_url, raters=["desk_of_another_package", "linear"]))
        assert study.run(tmp_path / "run").results.candidates["base"].adherence.mean == pytest.approx(1)
        with pytest.raises(InputError, match="people go on by expressed empathy"):
            Study.from_yaml(files(tmp_path, server.base_url, raters=["desk_of_another_package"])).run(
                tmp_path / "alone"
            )
        other = PATTERN.replace("clarity", "speed")
        odd = Study.from_yaml(
            files(tmp_path, server.base_url, pattern=other, raters=["desk_of_another_package", "linear"])
        )
        with pytest.raises(InputError, match=r"'speed' is no dimension of the first rater; .* each from 1 to 5"):
            odd.run(tmp_path / "odd")


@pytest.mark.usefixtures("desk_rater")
def test_adherence_is_shown_on_the_first_raters_scale_while_a_run_goes(tmp_path: Path) -> None:
    figures = RunFigures()
    with running(ScriptedServer(answer=lambda body: "" if len(body["messages"]) > 4 else "Hold the button.")) as server:
        study = load_study(files(tmp_path, server.base_url, raters=["desk_of_another_package", "linear"]))
        results = asyncio.run(run_pipeline(study, tmp_path / "run", viewer=Viewer(conversations=figures)))
    shown = figures.means.means()
    assert set(shown) == {"base", "system_prompt"}
    for name, adherence in shown.items():
        assert 0 < adherence < 1  # one of the replies is empty
        assert adherence == pytest.approx(results.candidates[name].adherence.mean)
    assert StatusReader(tmp_path / "run").look().adherence == pytest.approx(shown)


RANGE = "'desk judge', which makes the curves, rates desk: clarity, warmth, each from 1 to 5"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("warmth: 3}", "warmht: 3}", "pattern.yaml:7:3: words: no words for warmht; say for each"),
        ("clarity: 5,", "clarity: 6,", f"pattern.yaml:5:10: clarity: 6 lies outside the scale; {RANGE}"),
        ("scale: desk", "scale: felt", f"pattern.yaml:4:1: its targets are on the scale felt; {RANGE}"),
        (
            "{clarity: 5, warmth: 3}",
            "{clarity: 5}",
            f"pattern.yaml:5:1: no target for warmth; {RANGE}",
        ),
        (
            "warmth: ",
            "warmht: ",
            f"pattern.yaml:5:22: 'warmht' is no dimension of the first rater; did you mean 'warmth'?; {RANGE}",
        ),
        (
            "target: {clarity: 5, warmth: 3}",
            "target: {emotional_reaction: 1, interpretation: 1, exploration: 1}",
            f"pattern.yaml:5:10: 'emotional_reaction' is no dimension of the first rater; {RANGE}",
        ),
    ],
)
def test_a_pattern_that_is_not_on_the_first_raters_scale(old: str, new: str, told: str, tmp_path: Path) -> None:
    pattern = PATTERN.replace(old, new)
    if "no target" in told:
        pattern = pattern.replace("  warmth: Be friendly, and no more.\n", "")
    if "emotional_reaction" in new:
        pattern = pattern.partition("words:")[0].replace("scale: desk\n", "") + "advice: 2\n"
        told = told.replace(":5:10:", ":4:10:")
    with pytest.raises(InputError) as caught:
        load_study(files(tmp_path, "http://localhost:1/v1", pattern=pattern))
    assert told in str(caught.value).replace(f"{tmp_path}/", "")


def test_people_go_on_by_expressed_empathy_and_training_picks_by_it(tmp_path: Path) -> None:
    alone = [{"kind": "judge", "model": "openai:judge", "scale": DESK}]
    with pytest.raises(InputError, match="people go on by expressed empathy, which none of the raters rates") as caught:
        load_study(files(tmp_path, "http://localhost:1/v1", raters=alone))
    assert "study.yaml:" in str(caught.value)
    with pytest.raises(InputError, match="low is below high; got 5 and 1"):
        load_study(
            files(tmp_path, "http://x/v1", raters=[{**alone[0], "scale": {**DESK, "low": 5, "high": 1}}, "linear"])
        )
    shipped = Study.of(candidates=["base"], raters=[*alone, "linear"], personas={"ids": ["jun_park"]})
    with pytest.raises(InputError, match=r"pattern '\w+': 'emotional_reaction' is no dimension of the first rater"):
        shipped.plan()
