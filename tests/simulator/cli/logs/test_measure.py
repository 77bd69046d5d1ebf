"""``holdfast measure`` and ``holdfast convert`` as a user meets them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape

from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.logs.methods import SLOPE, SLOPE_GIVEN_LENGTH
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS, WRITTEN
from holdfast.simulator.report.values import signed
from tests.agents.raters.judge.judge_server import Answer, Asked, serve

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> [red]x[/red] \u202e {{7*7}}"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Six conversations by three people with two models, one of them named badly; and two broken lines."""
    talks = []
    for one in range(6):
        said = []
        for turn in range(5):
            reply = "I'm sorry." if turn < 2 + one else "Make lists."  # too short for copies
            said += [LogMessage("user", f"It is hard {EVIL}"), LogMessage("assistant", reply, {"empathy": 3.0})]
        columns = {"model": EVIL if one % 2 else "good"}
        talks.append(Conversation(f"c{one}", "", tuple(said), f"p{one % 3}", columns, {"empathy": 2.0 + one % 3}))
    path = tmp_path / "log.jsonl"
    FORMATS["messages"].writer.write(talks, path)
    with path.open("a") as file:
        file.write("{broken\n\n[1, 2]\n")
    return path


def test_table_notes_and_skips(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["measure", str(log)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split()[:3] == ["model", "n", "turns"]
    assert "6 conversations, 30 turns, 30 replies rated by linear" in out
    assert f"skipped: 1 x line: not JSON, first at {log}:7: not JSON" in out
    assert f"skipped: 2 x conversation: no messages, first at {log}:9: no messages (expected one of messages," in out
    assert "\u202e" not in out  # what steers a terminal is escaped
    assert run_command(["measure", str(log), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_both_slopes_are_the_pooled_ones_on_screen_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The foot says what a slope is; a mean of the conversations' own slopes would be another number."""
    replies = ([1, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0, 0], [0, 1, 0, 0])
    texts = ("Make lists.", "I'm sorry.")  # too short for copies
    talks = [
        Conversation(
            f"c{n}",
            "",
            tuple(m for k in kinds for m in (LogMessage("user", "Hm."), LogMessage("assistant", texts[k]))),
            f"p{n}",
        )
        for n, kinds in enumerate(replies)
    ]
    FORMATS["messages"].writer.write(talks, tmp_path / "log.jsonl")
    out = tmp_path / "out"
    assert run_command(["measure", str(tmp_path / "log.jsonl"), "--out", str(out)]) == 0
    screen = capsys.readouterr().out
    measure = json.loads((out / "results.json").read_text())["groups"]["all"]["measures"]["expressed"]
    pooled, given = (10 * measure[name]["mean"] for name in ("slope_per_turn", "slope_given_length"))
    levels = LinearRater().model.levels(list(texts)).mean(axis=1)
    own = [np.polyfit(np.arange(len(kinds)), levels[list(kinds)], 1)[0] for kinds in replies]
    turns = [np.arange(len(kinds)) - (len(kinds) - 1) / 2 for kinds in replies]
    weights = [float(turn @ turn) for turn in turns]  # a long conversation counts for more
    assert pooled == pytest.approx(10 * np.average(own, weights=weights))
    assert f"{pooled:+.2f}" != f"{10 * np.mean(own):+.2f}"
    assert screen.splitlines()[1].split()[-2:] == [f"{pooled:+.2f}", f"{given:+.2f}"]
    assert f"in 10 turns: the slope, times ten: {SLOPE}. length held: {SLOPE_GIVEN_LENGTH}." in screen
    page = (out / "report.html").read_text(encoding="utf-8")
    row = re.search(r'<th scope="row">expressed</th>.*?</tr>', page, re.DOTALL)
    assert row is not None
    cells = re.findall(r'<td class="n">([^ <]+)', row[0])
    assert cells[1:] == [signed(pooled), signed(given)]
    assert f"Slope: {escape(SLOPE)}. Slope, length held: {escape(SLOPE_GIVEN_LENGTH)}." in page


def test_several_skips_of_one_kind_say_where_the_first_are(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with log.open("a") as file:
        file.write("{broken again\n{and again\n{and once more\n")
    told = f"skipped: 4 x line: not JSON, first at {log}:7: not JSON (Expecting property name"
    for command in (["measure", str(log)], ["convert", str(log), "--to", "csv", "--out", f"{log}.csv"]):
        assert run_command(command) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if "not JSON" in line]
        assert line.startswith(told)
        assert line.endswith(f", column 2), {log}:10, {log}:11")


def test_json_and_files_say_the_same(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report"
    assert run_command(["measure", str(log), "--json", "--out", str(out), "--pattern", "companion"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((out / "results.json").read_text())
    assert set(found["groups"]) == {"good", EVIL}
    assert found["groups"]["good"]["labels"]["empathy"]["n"] == 3
    assert found["pattern"]["id"] == "companion"
    assert found["skipped"]["total"] == 3  # the list of two numbers is two documents that hold no messages
    assert sum(one["n"] for one in found["skipped"]["by_reason"]) == 3


def test_the_page_escapes_everything_and_can_hold_no_text(log: Path, tmp_path: Path) -> None:
    with_text, without = tmp_path / "with", tmp_path / "without"
    assert run_command(["measure", str(log), "--out", str(with_text), "--quiet"]) == 0
    assert run_command(["measure", str(log), "--out", str(without), "--quiet", "--no-text"]) == 0
    page = (with_text / "report.html").read_text(encoding="utf-8")
    assert "It is hard" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script") == 1
    bare = (without / "report.html").read_text(encoding="utf-8")
    assert "It is hard" not in bare
    assert "sorry to hear" not in bare
    assert "It holds no word of the conversations." in bare
    for text in (page, bare):
        assert re.search(r"https?://(?!www\.w3\.org)", text) is None  # nothing is fetched


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "mesages"], "unknown format 'mesages'; did you mean 'messages'"),
        (["--by", "modell"], "no conversation has a column 'modell'; did you mean 'model'"),
        (["--pattern", "kind"], "unknown pattern or task 'kind'"),
        (["--format", "sense7"], "not a readable xlsx workbook"),
        (["--format", "sage"], "no conversation could be read as sage"),
        (["--format", "ieval"], "columns absent: messages, bot"),
    ],
)
def test_bad_input_is_one_clear_error(
    log: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["measure", str(log), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["measure", str(tmp_path / "nowhere.jsonl")]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("word", WRITTEN)
def test_convert_to_every_format_and_measure_that(
    word: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"out{FORMATS[word].suffix}"
    assert run_command(["convert", str(log), "--to", word, "--out", str(out), "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["conversations"], about["messages"], about["skipped"]["total"]) == (6, 60, 3)
    assert run_command(["measure", str(out), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert (results["conversations"], results["turns"]) == (6, 30)
    assert results["skipped"]["total"] == 0


def test_convert_says_what_has_no_place(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["convert", str(log), "--to", "sdialog", "--out", str(tmp_path / "d.json")]) == 0
    out = capsys.readouterr().out
    assert "6 conversations, 60 messages written to" in out
    assert "no place in sdialog for 30 x label empathy" in out
    assert run_command(["convert", str(log), "--to", "csv", "--out", str(log)]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert run_command(["convert", str(log), "--to", "sdialog", "--out", str(tmp_path / "d.json")]) == 2
    assert "is there already; remove it" in capsys.readouterr().err


def test_one_of_a_thing_is_written_in_the_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [{"role": "user", "content": "I feel sad."}, {"role": "assistant", "content": "I am so sorry."}]
    silent = [*said, said[0], {"role": "assistant", "content": "<think>Sad.</think>"}]
    (tmp_path / "one.jsonl").write_text(json.dumps({"messages": said}), encoding="utf-8")
    (tmp_path / "two.jsonl").write_text(json.dumps({"messages": silent}), encoding="utf-8")
    assert run_command(["measure", str(tmp_path / "one.jsonl")]) == 0
    assert "1 conversation, 1 turn, 1 reply rated by linear" in capsys.readouterr().out
    assert run_command(["measure", str(tmp_path / "two.jsonl")]) == 0
    notes = capsys.readouterr().out
    left_out = "and left out of every mean (with --pattern they adhere 0)"
    assert f"note: group 'all': 1 reply is disqualified, {left_out}: empty" in notes
    assert "note: 1 reply comes with a model's thoughts" in notes
    foreign = [*said, said[0], {"role": "assistant", "content": "你好 我很难过"}]
    (tmp_path / "three.jsonl").write_text(json.dumps({"messages": foreign}), encoding="utf-8")
    assert run_command(["measure", str(tmp_path / "three.jsonl")]) == 0
    assert "note: 1 reply was not rated: " in capsys.readouterr().out
    assert run_command(["convert", str(tmp_path / "one.jsonl"), "--to", "csv", "--out", str(tmp_path / "o.csv")]) == 0
    assert capsys.readouterr().out.startswith("1 conversation, 2 messages written to ")


def test_a_file_without_a_conversation_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text("{}\n")
    for word, kind in WRITTEN.items():
        out = tmp_path / f"out-{word}{kind.suffix}"
        arguments = ["convert", str(tmp_path / "empty.jsonl"), "--format", "messages", "--to", word, "--out", str(out)]
        assert run_command(arguments) == 2
        assert "no conversation could be read" in capsys.readouterr().err
        assert out.suffix == "" or not out.exists()


def test_help_does_not_wait_for_numpy() -> None:
    code = "import sys; from holdfast.simulator.cli.main import run_command; run_command(['measure', '--help']); "
    code += "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'openpyxl')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "--no-text" in done.stdout
    assert done.returncode == 0


def test_a_judge_beside_the_linear_rater(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its server refuses every fifth turn; what is missing is counted with its reason, on screen and in the file."""

    def script(asked: Asked) -> Answer | str:
        return Answer("no", status=400) if len(asked.conversation) == 10 else asked.valid(1)

    with serve(script) as server:
        judge = f'{{kind: judge, name: strict, model: "openai:m", base_url: "{server.url}"}}'
        command = ["measure", str(log), "--rater", "linear", "--rater", judge]
        assert run_command([*command, "--json"]) == 0
        results = json.loads(capsys.readouterr().out)
        assert run_command([*command, "--by", "model"]) == 0
        screen = capsys.readouterr().out
    assert results["witnesses"]["strict"]["unrated"] == {"server: status 400": 6}
    assert results["groups"]["good"]["measures"]["strict: expressed"]["mean"]["mean"] == 1
    assert "strict: expressed [95 %]" in screen.splitlines()[0]
    assert "note: 6 replies were not rated by strict: server: status 400" in screen


def test_a_rater_that_makes_no_curves_of_patterns(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["measure", str(log), "--rater", "linaer"]) == 2
    assert "did you mean 'linear'" in capsys.readouterr().err
    assert run_command(["measure", str(log), "--rater", "{kind: linear, scale: perceived}"]) == 2
    assert "'linear' rates perceived: put a rater of expressed empathy first" in capsys.readouterr().err


def test_measuring_with_the_linear_rater_loads_no_torch(log: Path) -> None:
    code = "import sys; from holdfast.simulator.cli.main import run_command; "
    code += f"assert run_command(['measure', {str(log)!r}, '--quiet']) == 0; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
