"""Words and mappings become raters: what they mean, what is refused, and what is read back as it was written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from holdfast.agents.raters import registry
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.fitted import by_scale, card_folders
from holdfast.agents.raters.gate.rater import GatedRater, ungated
from holdfast.agents.raters.judge.rater import JudgeRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.registry import AnyRaterSpec, open_raters, parse_rater, require_guide, require_unique
from holdfast.agents.raters.specs import FittedSpec, JudgeSpec, RaterSpec, RewardSpec
from holdfast.core.errors import InputError

SERVED = {"kind": "judge", "model": "openai:m", "base_url": "http://127.0.0.1:1/v1"}


class Holder(BaseModel):
    """A field of a study's model."""

    rater: AnyRaterSpec


@pytest.mark.parametrize(
    ("value", "kind", "label"),
    [
        ("linear", FittedSpec, "linear"),
        ("encoder", FittedSpec, "encoder"),
        (str(SHIPPED_PERCEIVED), FittedSpec, "ieval"),
        ("reward:runs/reward", RewardSpec, "reward"),
        ("openai:gpt-4o", JudgeSpec, "openai:gpt-4o"),
        ("anthropic:claude-sonnet-4-5", JudgeSpec, "anthropic:claude-sonnet-4-5"),
        ("hf:models/mine", JudgeSpec, "hf:models/mine"),
        ("micro", JudgeSpec, "micro"),
        ({"kind": "linear", "folder": "runs/mine", "name": "mine"}, FittedSpec, "mine"),
        ({**SERVED, "samples": 3, "name": "strict"}, JudgeSpec, "strict"),
    ],
)
def test_what_words_and_mappings_mean(value: object, kind: type[RaterSpec], label: str) -> None:
    spec = parse_rater(value)
    assert (type(spec), spec.label) == (kind, label)
    held = Holder.model_validate({"rater": value})
    assert Holder.model_validate(held.model_dump(mode="json")) == held


def test_a_plain_word_stays_the_word() -> None:
    assert Holder.model_validate({"rater": "linear"}).model_dump(mode="json") == {"rater": "linear"}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("linaer", "unknown rater 'linaer'; did you mean 'linear'"),
        ("opnai:m", "did you mean 'openai'"),
        ("reward:", "unknown rater 'reward:'"),
        ({"kind": "juge", "model": "micro"}, "unknown rater kind 'juge'; did you mean 'judge'? (allowed: linear"),
        ({"model": "micro"}, "a rater needs a 'kind'"),
        ({"kind": "encoder", "scale": "perceived"}, "the shipped encoder rates expressed empathy"),
        ({"kind": "judge", "model": "opnai:m"}, "unknown model reference 'opnai:m'"),
        ({**SERVED, "scale": "warmth"}, "expressed"),
        ({"kind": "linear", "scale": "acts"}, "the fitted rater of communicated acts is withdrawn"),
        (3, "a rater is a word or a mapping with 'kind'; got 3"),
        ("~nobody-here/rater", "no home folder is known for that user"),
        ({"kind": "linear", "folder": "~nobody-here/rater"}, "no home folder is known for that user"),
        ({"kind": "reward", "folder": "x" * 300}, "a name in it is longer than 255 bytes"),
        ("a\u202eb/rater", "no path; it holds characters that no file's name has"),
    ],
)
def test_what_is_refused_says_what_is_allowed(value: object, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_rater(value)  # no InputError: a study's reader adds the place


def test_names_are_unique_and_patterns_need_expressed_empathy() -> None:
    with pytest.raises(ValueError, match="two raters are named 'openai:m'; give each a 'name' of its own"):
        require_unique([parse_rater(SERVED), parse_rater({**SERVED, "samples": 3})])
    require_unique([parse_rater(SERVED), parse_rater({**SERVED, "name": "again"})])
    with pytest.raises(InputError, match=r"none of the raters rates \('my acts' rates acts\): add one that does"):
        require_guide({"my acts": "acts", "mine": "perceived"})


def test_raters_are_opened_by_name_in_their_order(tmp_path: Path) -> None:
    felt = {"kind": "linear", "scale": "perceived", "name": "felt"}
    raters = open_raters(map(parse_rater, ("linear", felt, {**SERVED, "samples": 2, "max_tokens": 64})), tmp_path)
    assert list(raters) == ["linear", "felt", "openai:m"]
    assert raters["linear"] == GatedRater(LinearRater())
    assert raters["felt"] == GatedRater(FittedRater(SHIPPED_PERCEIVED))
    judge = ungated(raters["openai:m"])
    assert isinstance(judge, JudgeRater)
    assert (judge.identity.id, judge.sampling.temperature, judge.sampling.max_tokens) == ("judge:openai:m", 0.7, 64)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"kind": "linear", "folder": "nowhere"}, "nowhere: no rater lies there"),
        (
            {"kind": "linear", "folder": str(SHIPPED_PERCEIVED), "scale": "expressed"},
            "knows no scale expressed; it knows perceived",
        ),
        ({"kind": "reward", "folder": "nowhere"}, "no reward model lies there"),
    ],
)
def test_a_folder_that_holds_no_such_rater(value: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        open_raters([parse_rater(value)], tmp_path)


def test_on_which_scales_a_rater_can_be_asked() -> None:
    assert list(by_scale(parse_rater("linear"))) == ["expressed", "perceived", "felt"]
    assert list(by_scale(parse_rater(str(SHIPPED_PERCEIVED)))) == ["perceived"]
    assert list(by_scale(parse_rater("openai:m"))) == ["expressed", "perceived", "acts", "felt"]
    assert list(by_scale(parse_rater({**SERVED, "scale": "acts"}))) == ["acts"]
    assert set(card_folders(parse_rater("linear"))) == {"expressed", "perceived", "felt"}
    with pytest.raises(InputError, match="openai:m has no card"):
        card_folders(parse_rater("openai:m"))


def test_a_kind_of_ones_own_joins_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry._KINDS, "entries", dict(registry._KINDS.entries))
    registry.register_rater("mine", RaterSpec, lambda _spec, _resources: LinearRater())
    assert open_raters([parse_rater("mine")], tmp_path) == {"mine": GatedRater(LinearRater())}
    with pytest.raises(ValueError, match="already registered"):
        registry.register_rater("mine", RaterSpec, lambda _spec, _resources: LinearRater())


def test_naming_raters_loads_neither_numpy_nor_torch() -> None:
    code = "import sys; from holdfast.agents.raters.registry import parse_rater; parse_rater('linear'); "
    code += "parse_rater('openai:m'); "
    code += "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'langchain_core')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
