"""``holdfast persona talk`` as a user meets it, with a tiny random model in the place of the embedded one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from holdfast.adapters.micro import base_path
from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.protocol import expressed
from holdfast.agents.users.protocol import Intention
from holdfast.core.text import visible
from holdfast.personas import loading
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.cli.personas.lines import ConversationPrinter, felt_line, left_because
from holdfast.simulator.records import TurnRecord

EXAMPLE = Path(loading.__file__).parent / "examples" / "persona.yaml"
SMALL_PRINT = r"  emotion \d+ of 100 \([+-]\d+\), appraisal [1-5]\.\d of 5 \(hoped for 3\)"


def record(user: str = "Hello.", reply: str = "Hi.", stop: str | None = None) -> TurnRecord:
    felt = dict.fromkeys(SENSE7, 3.0) | {"interest": 4.4}  # the mean is 22.4 / 7 = 3.2
    state = {"momentum": -0.3, "desired": 5.0}
    return TurnRecord(
        "e", 1, user, Intention("open"), reply, {"linear": expressed(0, 0, 0)}, felt, 41.6, state, stop=stop
    )


def told(turn: TurnRecord, *, terminal: bool = False, small_print: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, color_system="standard" if terminal else None)
    ConversationPrinter(console, small_print).turn(turn)
    return out.getvalue()


def test_in_a_pipe_it_is_plain() -> None:
    assert told(record()) == (
        "user: Hello.\nassistant: Hi.\n  emotion 42 of 100 (+0), appraisal 3.2 of 5 (hoped for 5)\n"
    )
    assert told(record(), small_print=False) == "user: Hello.\nassistant: Hi.\n"


def test_in_a_terminal_the_two_differ_in_colour() -> None:
    user, assistant, small = told(record(), terminal=True).splitlines()
    assert user.startswith("\x1b[1;36m     user\x1b[0m  Hello.")
    assert assistant.startswith("\x1b[1;32massistant\x1b[0m  Hi.")
    assert "\x1b[2memotion 42" in small


def test_a_long_reply_wraps_beside_its_speaker() -> None:
    lines = told(record(reply="word " * 40), terminal=True, small_print=False).splitlines()[1:]
    assert len(lines) == 3  # 40 words, 13 or 14 of them in a line
    assert all(line.replace("\x1b[0m", "").startswith(" " * 11) for line in lines[1:])


def test_what_a_model_wrote_cannot_steer_the_terminal() -> None:
    nasty = "[red]no[/red] \x1b[2Jcls\x07 \x9b31m \u202eabc\r\nuser: I am fine.\tYes"
    safe = "[red]no[/red] \\u001b[2Jcls\\u0007 \\u009b31m \\u202eabc\nuser: I am fine.\tYes"
    assert visible(nasty) == safe
    plain = told(record(reply=nasty), small_print=False)
    assert plain == f"user: Hello.\nassistant: {safe.splitlines()[0]}\n    user: I am fine.\tYes\n"
    drawn = told(record(reply=nasty), terminal=True)
    assert r"[red]no[/red] \u001b[2Jcls\u0007" in drawn
    assert "\x1b[2J" not in drawn
    assert not {"\x07", "\x9b", "\u202e", "\r"} & set(drawn)


def test_leaving_is_told_and_the_agreed_end_is_not() -> None:
    assert told(record(stop="user left: patience ran out")).endswith("\n  leaves: user left: patience ran out\n")
    assert "leaves" not in told(record(stop="max turns"))
    assert left_because(record()) is None
    assert felt_line(record()).startswith("emotion 42")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.agents.models.conftest import CONFIGS, build_model

    return build_model(CONFIGS["llama"], tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture
def with_tiny(tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A tiny model in the place of the embedded one, in an empty folder that must stay empty."""
    monkeypatch.setattr("holdfast.simulator.runtime.resources.base_path", lambda: tiny)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_a_persona_of_ones_own_talks(with_tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import re

    mine = with_tiny / "me.yaml"
    mine.write_text(EXAMPLE.read_text(encoding="utf-8").replace("Sofia Lind", "Sofia [red]Lind"), encoding="utf-8")
    assert run_command(["persona", "talk", str(mine), "--turns", "2"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "  Sofia [red]Lind (plan_project) talks with base"
    assert [line.split(":")[0] for line in lines[1:] if not line.startswith(" ")] == ["user", "assistant"] * 2
    assert len([line for line in lines if re.fullmatch(SMALL_PRINT, line)]) == 2
    assert err.startswith("loading models ...\n")
    assert list((with_tiny / "work").iterdir()) == []


def test_the_same_seed_says_the_same_and_another_does_not(with_tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for seed in ("3", "3", "4"):
        command = ["persona", "talk", "jun_park", "--turns", "2", "--seed", seed, "--json"]
        assert run_command([*command, "--candidate", "system_prompt_with_reminder"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
    assert [turn["user"] for turn in said[0]["turns"]] != [turn["user"] for turn in said[2]["turns"]]
    assert said[0]["persona"] == "jun_park"
    assert said[0]["candidate"] == "system_prompt_with_reminder"
    assert said[0]["left"] is None
    assert [turn["turn"] for turn in said[0]["turns"]] == [1, 2]
    assert set(said[0]["turns"][0]) == {
        "turn",
        "user",
        "reply",
        "expressed",
        "disqualified",
        "felt",
        "felt_mean",
        "emotion",
    }


def test_quiet_says_only_what_the_two_say(with_tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["persona", "talk", "jun_park", "--turns", "1", "--quiet"]) == 0
    out, _ = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines() if not line.startswith(" ")] == ["user", "assistant"]
    assert "emotion" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["jun_prak"], "no persona and no file 'jun_prak'; did you mean 'jun_park'?"),
        (["jun_park", "--candidate", "routed"], "candidates routed speak through adapters, and the study has none"),
        (["jun_park", "--candidate", "bsae"], "no candidate 'bsae'; did you mean 'base'?"),
        (["jun_park", "--turns", "0"], "0 is not in the range 1<=x<=1000"),
    ],
)
def test_bad_input_is_told_before_any_model_is_loaded(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["persona", "talk", *arguments]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert "loading" not in err
    assert out == ""


def test_a_model_that_is_not_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("holdfast.simulator.runtime.resources.base_path", lambda: tmp_path / "nowhere")
    assert run_command(["persona", "talk", "jun_park"]) == 2
    assert "error: model folder" in capsys.readouterr().err


def test_the_group_stays_light() -> None:
    heavy = "{'torch', 'numpy', 'langgraph'}"
    code = f"import sys, holdfast.simulator.cli.personas.commands; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(
    not (base_path() / "model.safetensors").is_file(), reason="the embedded base model is not built yet"
)
def test_the_embedded_model_answers_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["persona", "talk", str(EXAMPLE), "--turns", "2", "--json"]) == 0
    turns = json.loads(capsys.readouterr().out)["turns"]
    assert len(turns) == 2
    for turn in turns:
        assert len(turn["reply"].split()) >= 3
        assert turn["reply"].rstrip()[-1] in ".?!"
        assert "<|" not in turn["reply"]


def test_a_model_may_play_the_persona(with_tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One with random weights: nothing that it says is a user's message, and the page says so."""
    from transformers import LlamaConfig

    from tests.agents.models.conftest import COMMON, build_model

    roomy = build_model(LlamaConfig(**(COMMON | {"max_position_embeddings": 4096})), with_tiny / "roomy")
    command = ["persona", "talk", "jun_park", "--turns", "1", "--user-model", f"hf:{roomy}"]
    assert run_command(command) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"  hf:{roomy} found its own words in 0 of 1 turn, judged in 0 itself"
    assert run_command([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["counts"]["stand_in_messages"], told["counts"]["stand_in_judgements"]) == (1, 1)


def test_an_unknown_user_model_is_told(with_tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["persona", "talk", "jun_park", "--user-model", "mikro"]) == 2
    assert "unknown model reference 'mikro'" in capsys.readouterr().err
