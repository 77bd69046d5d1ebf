"""Feelers of a study: their ratings stand in the journal, drive nothing, and a resumed run has the same ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast import Run, Study
from holdfast.agents.protocols import Message
from holdfast.agents.raters.felt.feelers import NAMES
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.protocol import NO_REPLY, Passage, Rating
from holdfast.core.errors import InputError, JournalError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.journal.store import _SEAL, JOURNAL, Journal, read_episodes
from holdfast.simulator.logs.formats.journal import JournalReader
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.stored_scores import CHANGED
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.runtime.felt_file import FELT_FILE, NOT_ASKED, add_felt_file
from holdfast.simulator.runtime.pipeline import report
from holdfast.simulator.runtime.raters import raters_of
from holdfast.simulator.runtime.resources import Resources
from holdfast.simulator.runtime.session import session_of
from tests.agents.raters.judge.judge_server import Asked
from tests.servers.answers import Body, scripted
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running
from tests.simulator.engine.studies import run
from tests.simulator.recorded import STUDY, record_run
from tests.simulator.scripted import HashModel

TURNS = 5
PEOPLE, MODEL = NAMES["people"], NAMES["model"]


def felt(out: Path, name: str = PEOPLE) -> dict[tuple[str, int], Rating]:
    episodes = read_episodes(out / JOURNAL)
    return {(e.spec.id, turn.turn): turn.ratings[name] for e in episodes for turn in e.turns}


def answer(body: Body) -> str:
    """A candidate's reply; a feeler's score by the conversation's length, and none of a third turn."""
    if body["model"] != "feeler":
        return scripted(body)
    asked = Asked(dict(body))
    length = len(asked.conversation)
    return "No." if length == 6 else asked.valid(1 + length / 4, thought=f"I said {asked.conversation[-2]['text']}")


def served(base_url: str, feeler: Any = None) -> Study:
    named = {"kind": "model", "model": {"ref": "openai:feeler", "base_url": base_url}}
    fields = {"personas": {"ids": ["jun_park", "priya_raman"]}, "candidates": ["base"], "turns": TURNS}
    return Study.of(model={"ref": "openai:m", "base_url": base_url}, feeler=feeler or named, **fields)


def test_people_are_heard_after_each_reply_and_say_what_the_chat_so_far_says(tmp_path: Path) -> None:
    record_run(tmp_path)
    for episode in read_episodes(tmp_path / JOURNAL):
        messages: tuple[Message, ...] = ()
        for turn in episode.turns:
            messages += (Message("user", turn.user), Message("assistant", turn.reply))
            assert list(turn.ratings) == ["linear", PEOPLE]
            assert turn.ratings[PEOPLE] == PeopleFeeler().score([Passage(messages)])[0]
    results = report(tmp_path)
    assert [(each.feeler, each.judged, each.extrapolated) for each in results.felt] == [
        ("people", 36, 18), ("model", 0, 0), ("formula", 36, 0),
    ]  # fmt: skip
    assert results.felt[0].version == PeopleFeeler().identity.version
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "18 of 36 turns come later than turn 3" in page
    assert "there it is extrapolated" in page
    assert "not run: no model named" in page
    made = json.loads((tmp_path / JOURNAL).with_name("results.json").read_text())["provenance"]["inputs"]
    assert made[f"rater {PEOPLE}"] == f"people {PeopleFeeler().identity.version}"


def test_who_feels_drives_nothing(tmp_path: Path) -> None:
    """Users say the same whoever the feeler is: they go on by their own appraisal."""
    for feeler in ("people", "formula"):
        record_run(tmp_path / feeler, feeler=feeler)
    people, formula = (read_episodes(tmp_path / name / JOURNAL) for name in ("people", "formula"))
    assert transcripts_sha256(people) == transcripts_sha256(formula)
    assert [turn.state for e in people for turn in e.turns] == [turn.state for e in formula for turn in e.turns]
    assert all(list(turn.ratings) == ["linear"] for e in formula for turn in e.turns)
    results = report(tmp_path / "formula")
    assert results.feeler == "formula"
    page = (tmp_path / "formula" / "report.html").read_text(encoding="utf-8")
    first_screen = page[: page.index('id="decay"')]
    assert "Gap reduction" not in first_screen
    assert "the gap is left out of the first screen" in page
    report(tmp_path / "people")
    other = (tmp_path / "people" / "report.html").read_text(encoding="utf-8")
    assert "Gap reduction" in other[: other.index('id="decay"')]


def test_a_resumed_run_has_what_an_uninterrupted_one_has(tmp_path: Path) -> None:
    whole, broken = record_run(tmp_path / "whole"), record_run(tmp_path / "broken")
    with Journal.resume(broken / JOURNAL) as journal:
        journal._db.execute("DELETE FROM turns WHERE turn > 2")
        journal._db.execute("DELETE FROM meta WHERE key = 'pulse'")
        for (id,) in journal._db.execute("SELECT id FROM episodes").fetchall():
            journal._db.execute("UPDATE episodes SET ended = 0, stop = NULL WHERE id = ?", (id,))
        journal._db.execute(_SEAL)
    assert len(felt(broken)) == 12
    resume(broken)
    assert felt(broken) == felt(whole)
    assert report(broken).felt == report(whole).felt


def resume(out: Path) -> None:
    """Go on with the study of :func:`record_run`."""
    plan = resolve(StudyConfig.model_validate(STUDY))
    resources = Resources(plan, {plan.study.model: HashModel()}, {}, raters_of(plan.study, {}))
    run(session_of(resources), out, resume=True)


def test_a_model_thinks_and_scores_each_turn_and_people_stand_beside_it(tmp_path: Path) -> None:
    with running(ScriptedServer(answer=answer, keep=True)) as server:
        served(server.base_url).run(tmp_path / "run")
        asked = [body for body in server.requests if body["model"] == "feeler"]
    assert len(asked) == 2 * (TURNS + 1)  # one repair of each third turn
    ratings = felt(tmp_path / "run", MODEL)
    assert {turn: rating.values for (_, turn), rating in ratings.items()} == {
        1: {"overall": 1.5}, 2: {"overall": 2.0}, 3: {}, 4: {"overall": 3.0}, 5: {"overall": 3.5},
    }  # fmt: skip
    assert {rating.missing for (_, turn), rating in ratings.items() if turn == 3} == {"no_json: 'No.'"}
    assert all(rating.evidence.startswith("I said ") for (_, turn), rating in ratings.items() if turn != 3)
    results = Run.open(tmp_path / "run").results
    assert [each.feeler for each in results.felt] == ["model", "people", "formula"]
    assert results.felt[0].missing == {"no_json: 'No.'": 2}
    assert results.felt[0].id == "judge:openai:feeler"
    assert results.felt[0].candidates["base"].perceived.mean == pytest.approx(2.5)
    assert results.candidates["base"].witnesses == {}
    frame = Run.open(tmp_path / "run").turns()
    assert frame["felt"].dropna().tolist() == [1.5, 2.0, 3.0, 3.5] * 2
    assert "I said " in frame["feelers"][0]
    assert frame["witnesses"].isna().all()


def test_a_model_may_be_asked_about_a_run_that_is_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a user does: judge the run folder, report again; the study's own feeler stays first."""
    out, file = record_run(tmp_path / "run", feeler="formula"), tmp_path / "run" / FELT_FILE
    with running(ScriptedServer(answer=answer)) as server:
        command = ["judge", str(out), "--model", "openai:feeler", "--base-url", server.base_url, "--scale", "felt"]
        assert run_command([*command, "--out", str(file), "--quiet"]) == 0
    results = report(out)
    assert [each.feeler for each in results.felt] == ["formula", "people", "model"]
    model = results.felt[2]
    assert (model.judged, model.missing) == (30, {"no_json: 'No.'": 6})
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<bdi>judge:openai:feeler</bdi>, not validated against people" in page
    assert model.candidates["base"].perceived.mean == pytest.approx((1.5 + 2 + 3 + 3.5 + 4) / 5)
    assert results.candidates["base"].gap_abs == results.felt[0].candidates["base"].gap_abs
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:10]) + "\n", encoding="utf-8")  # as --sample leaves it
    assert report(out).felt[2].missing == {NOT_ASKED: 26, "no_json: 'No.'": 2}
    talk = read_episodes(out / JOURNAL)[0]
    silent = replace(talk, turns=(replace(talk.turns[0], reply=" "),))
    ((unheard,), _) = add_felt_file(out, [silent], [])
    assert unheard.turns[0].ratings[MODEL].missing == NO_REPLY
    file.write_text("\n".join(line.replace('"passage_sha256":"', '"passage_sha256":"0') for line in lines) + "\n")
    assert report(out).felt[2].missing == {CHANGED: 36}  # other words than those that were scored
    file.write_text(lines[0].replace('"id":"judge:', '"id":"') + "\n", encoding="utf-8")
    told = r"felt\.jsonl: holds scores by 'openai:feeler'; expected one chat model's .* move this file elsewhere"
    with pytest.raises(InputError, match=told):
        report(out)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--model", "linear", "--scale", "felt"],
            "would hold scores by 'linear'; expected one chat model's on the scale",
        ),
        (["--model", "openai:m"], "would hold scores by 'openai:m'; expected one chat model's on the scale felt"),
        (
            ["--model", "openai:m", "--model", "openai:n", "--scale", "felt"],
            "would hold scores by 'openai:m', 'openai:n'",
        ),
        (["--model", "openai:m", "--scale", "felt", "--whole"], "reads a score of each reply; leave --whole out"),
    ],
)
def test_what_a_run_could_not_read_as_felt_is_refused_before_it_is_rated(
    tmp_path: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, file = record_run(tmp_path / "run", feeler="formula"), tmp_path / "run" / FELT_FILE
    with running(ScriptedServer(answer=answer, keep=True)) as server:
        command = ["judge", str(out), *options, "--base-url", server.base_url, "--out"]
        assert run_command([*command, str(file), "--quiet"]) == 2
        assert server.requests == []
    assert told in capsys.readouterr().err
    assert not file.exists()
    if "linear" in options:  # elsewhere it is a file of scores as any other
        assert run_command([*command, str(tmp_path / FELT_FILE), "--quiet"]) == 0
    assert report(out).felt[2].not_run.startswith("not run: no model named")


def test_a_runs_felt_file_is_not_gone_on_with_by_another_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(ScriptedServer(answer=answer, keep=True)) as server:
        served(server.base_url).run(tmp_path / "run")
        options = ["--base-url", server.base_url, "--scale", "felt", "--quiet", "--resume"]
        asked, own = len(server.requests), str(tmp_path / "run" / FELT_FILE)
        assert run_command(["judge", str(tmp_path / "run"), *options, "--model", "openai:feeler", "--out", own]) == 2
        assert "the run has a model's feelings of its own" in capsys.readouterr().err
        out = record_run(tmp_path / "other", feeler="formula")
        command = ["judge", str(out), *options, "--limit", "2", "--out", str(out / FELT_FILE)]
        assert run_command([*command, "--model", "openai:feeler"]) == 0
        assert len(server.requests) == asked + 2
        assert run_command([*command, "--model", "openai:m"]) == 2
        assert len(server.requests) == asked + 2
    assert "holds scores by 'openai:feeler' (judge:openai:feeler" in capsys.readouterr().err
    assert report(out).felt[2].judged == 2


def test_a_log_of_a_run_has_the_feelers_score_and_no_dimension(tmp_path: Path) -> None:
    record_run(tmp_path / "people")
    record_run(tmp_path / "formula", feeler="formula")

    def labels(out: Path) -> set[str]:
        talks = [talk for talk in JournalReader().read(out) if isinstance(talk, Conversation)]
        return {name for talk in talks for message in talk.messages for name in message.labels}

    assert labels(tmp_path / "people") == {"empathy", "emotion"}
    assert "interest" in labels(tmp_path / "formula")


def test_a_run_from_before_there_were_feelers_is_read_and_goes_on_as_the_formulas(tmp_path: Path) -> None:
    """Its journal knows no feeler: the report takes the formula, and a study of today must name it to go on."""
    record_run(tmp_path, feeler="formula")
    with Journal.read(tmp_path / JOURNAL) as journal:
        assert "feeler" not in json.loads(journal.meta()["study"])
    assert report(tmp_path).feeler == "formula"
    with pytest.raises(JournalError, match='feeler: was "formula", now "people"'):
        resume(tmp_path)
