"""Fitting the head: the same bytes twice, levels that come back, with and without replies of assistants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.agents.raters.encoder.fit import fit_encoder_files
from holdfast.agents.raters.encoder.rater import WORDS, EncoderRater
from holdfast.agents.raters.fitted import kind_in, open_fitted
from holdfast.agents.raters.linear.fit import Labels
from holdfast.agents.raters.specs import FittedSpec
from holdfast.simulator.cli.main import run_command
from tests.agents.raters.conftest import SENTENCES
from tests.passages import exchange


def test_a_refit_gives_the_same_bytes_and_what_was_put_in_comes_back(
    minilm: Path, own_pairs: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for out in (first, second):
        fitted = fit_encoder_files(Labels.read(own_pairs, None), out)
    names = sorted(str(file.relative_to(first)) for file in first.rglob("*") if file.is_file())
    assert names == [
        *("card.md", "head.json", "head.npz"),
        *(f"{WORDS}/{name}" for name in ("card.md", "people.json", "vocabulary.json", "weights.npz")),
    ]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
    assert all(figures["qwk"] > 0.9 for figures in fitted.held_out.values())
    rater = open_fitted(FittedSpec(folder=str(first), kind="encoder"))
    assert (kind_in(first), rater) == ("encoder", EncoderRater(first))
    told = rater.score([exchange("", sentence.format("boat")) for sentence, *_ in SENTENCES[:1] + SENTENCES[4:5]])
    assert [tuple(round(level) for level in rating.values.values()) for rating in told] == [(2, 0, 0), (0, 0, 2)]


@pytest.mark.slow
def test_with_replies_of_assistants_both_kinds_are_told_apart(
    minilm: Path, own_pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {
            "context": str(number),
            "messages": [{"role": "user", "content": "Hm."}],
            "reply": f"Well. {sentence.format(thing)}",
            "levels": [dict(zip(("emotional_reaction", "interpretation", "exploration"), levels, strict=True))],
            "earned_by": {},
        }
        for number, thing in enumerate(("boat", "lamp", "road", "coat", "hill"))
        for sentence, *levels in SENTENCES
    ]
    replies, out = tmp_path / "replies.jsonl", str(tmp_path / "out")
    replies.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    command = ["rater", "fit", "--kind", "encoder", "--data", str(own_pairs), "--replies", str(replies), "--out", out]
    assert run_command([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["held_out"]
    kinds = {"qwk", "qwk_peers", "qwk_peers_without", "qwk_assistants", "qwk_without"}
    assert all(kinds <= set(figures) for figures in told.values())
    assert run_command(["rater", "fit", "--kind", "encoder", "--scale", "perceived", "--out", out]) == 2
    assert "only a rater of expressed empathy is fitted so" in capsys.readouterr().err
