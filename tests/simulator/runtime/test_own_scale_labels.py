"""Labels and training of a run whose first rater has a scale of its own: both stay on EPITOME's mechanisms."""

from __future__ import annotations

import html
import io
import json
from pathlib import Path
from typing import Any, Literal

import pytest

from holdfast import Run, Study
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.labelling.session import open_session
from holdfast.simulator.results.label_model import RunLabels
from holdfast.simulator.runtime.raters import training_rater
from tests.agents.raters.judge.judge_server import Asked
from tests.servers.answers import Body, scripted
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running
from tests.simulator.runtime.test_own_scale import PERSONA, answer, files


def labelled(run: Path, levels: dict[str, int], scale: Literal["expressed", "perceived"] = "expressed") -> RunLabels:
    """Label all that is drawn of a run alike, and make its report."""
    session = open_session(run, "ana", count=6, scale=scale)
    while (question := session.next()) is not None:
        session.answer(question.item.reply, levels)
    assert run_command(["report", str(run)]) == 0
    labels = Run.open(run).results.labels
    assert labels is not None
    return labels


MECHANISM_LABELS = {"emotional_reaction": 1, "interpretation": 1, "exploration": 1}
APART = (
    "labels are of EPITOME's mechanisms (emotional reaction, interpretation, exploration), patterns and curves here "
    "are on the scale {}: labels are held against raters of those mechanisms, and no adherence is estimated from them"
)


def test_labels_of_a_run_on_a_judges_own_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(ScriptedServer(answer=answer)) as server:
        Study.from_yaml(files(tmp_path, server.base_url)).run(tmp_path / "run")
    run, apart = tmp_path / "run", APART.format("desk (clarity, warmth)")
    label = ["label", str(run), "--coder", "ben", "--count", "6", "--terminal"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("111q"))
        assert run_command(label) == 0
    assert f"note: {apart}" in capsys.readouterr().err
    labels = labelled(run, MECHANISM_LABELS)
    assert "labelled by people, on another scale than the patterns; " in capsys.readouterr().out
    assert apart in labels.notes
    assert (labels.candidates, labels.differences) == ({}, [])
    assert {(each.first, each.n) for each in labels.raters} == {("linear", 6)}
    assert {each.rater for each in labels.errors} == {"linear"}
    page = (run / "report.html").read_text(encoding="utf-8")
    section = page.split('<section id="labels"')[1].split("</section>")[0]
    assert apart in html.unescape(section)
    assert "prediction-powered" not in section  # no interval is given
    assert run_command(["label", str(run), "--to", str(tmp_path / "labels.csv")]) == 0
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 1 + 1 + 6


def test_a_scale_of_ones_own_that_names_the_mechanisms_is_not_epitomes(tmp_path: Path) -> None:
    """Levels 1 to 5 by a judge are no labels 0 to 2 of the same names."""
    scale = {"id": "wide", "low": 1, "high": 5, "dimensions": dict.fromkeys(MECHANISM_LABELS, "5 = very much")}
    judge = {"kind": "judge", "model": "openai:judge", "name": "wide judge", "scale": scale}
    pattern = "id: clear_desk\ntitle: Wide\ndescription: All of it.\nadvice: 2\nscale: wide\n"
    pattern += "target: {emotional_reaction: 2, interpretation: 2, exploration: 2}\n"

    def rated(body: Body) -> str:
        if body["model"] != "judge":
            return scripted(body)
        asked = Asked(dict(body))
        return json.dumps({"id": asked.mark, **dict.fromkeys(asked.dimensions, 4)})

    with running(ScriptedServer(answer=rated)) as server:
        raters = [{**judge, "base_url": server.base_url}, "linear"]
        Study.from_yaml(files(tmp_path, server.base_url, pattern=pattern, raters=raters)).run(tmp_path / "run")
    labels = labelled(tmp_path / "run", MECHANISM_LABELS)
    assert APART.format("wide (emotional reaction, interpretation, exploration)") in labels.notes
    assert (labels.candidates, labels.differences) == ({}, [])
    assert {each.first for each in labels.raters} == {"linear"}


def test_one_overall_score_of_a_run_on_a_judges_own_scale(tmp_path: Path) -> None:
    with running(ScriptedServer(answer=answer)) as server:
        Study.from_yaml(files(tmp_path, server.base_url)).run(tmp_path / "run")
    labels = labelled(tmp_path / "run", {"overall": 3}, "perceived")
    assert {each.first for each in labels.raters} == {"felt by people"}
    assert labels.candidates == {}


@pytest.mark.usefixtures("desk_rater")
@pytest.mark.parametrize(
    ("raters", "trainer"), [(None, {}), (None, {"rater": "linear"}), (["desk_of_another_package", "linear"], {})]
)
def test_experts_are_trained_on_epitomes_mechanisms_only(
    tmp_path: Path, raters: Any, trainer: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        (tmp_path / f"p{number}.yaml").write_text(PERSONA.replace("ada_desk", f"p{number}"), encoding="utf-8")
    study = files(
        tmp_path,
        "http://localhost:1/v1",
        model="hf:./nowhere",  # whoever loads it fails
        raters=raters,
        personas={"files": ["p0.yaml", "p1.yaml"]},
        training={"turns": 2, "min_turns": 1, **trainer},
    )
    assert run_command(["run", str(study), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    assert capsys.readouterr().err == (
        "error: pattern 'clear_desk': its target is on another scale (clarity, warmth), and experts are trained "
        "towards levels of EPITOME's mechanisms (emotional_reaction, interpretation, exploration) only: leave out "
        "'training', or train in a study of patterns on these, and name its adapters with 'adapters: FOLDER'\n"
    )


@pytest.mark.usefixtures("desk_rater")
def test_a_trainer_of_another_scale_is_refused_once_it_is_open() -> None:
    study = Study.of(candidates=["base"], training={"rater": "desk_of_another_package"})
    with pytest.raises(InputError, match="training: rater: desk_of_another_package rates desk, but replies are picked"):
        training_rater(study.config, {}, {})
