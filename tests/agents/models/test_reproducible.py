"""What each kind of model promises of its bytes, by what its reference or its files say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from holdfast.agents.models.references import EndpointReference, LocalReference
from holdfast.agents.models.reproducible import dtype_of, why_not_reproducible

HERE = Path("somewhere")


def test_float64_is_promised_and_float32_in_tiles() -> None:
    assert why_not_reproducible(LocalReference("micro", HERE, "float64")) == ""
    assert why_not_reproducible(LocalReference("smollm2", HERE, "float32", reproducible=True)) == ""


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LocalReference("smollm2", HERE, "float32"), "runs in float32, .*'reproducible: true' at the model keeps it"),
        (LocalReference("hf:x", HERE, "float32", "cuda"), "hf:x runs in float32, .* and so a word$"),
        (LocalReference("hf:x", HERE, "bfloat16"), "hf:x runs in bfloat16, .* and so a word$"),
        (LocalReference("hf:x", HERE), "hf:x runs in a type that its files do not say, "),
        (EndpointReference("openai:m", "m", "http://x/v1", None), "openai:m answers from elsewhere, in batches that"),
    ],
)
def test_others_are_not(model: LocalReference | EndpointReference, says: str) -> None:
    assert re.match(f".*{says}", why_not_reproducible(model))


@pytest.mark.parametrize(
    ("config", "dtype"),
    [
        ({"dtype": "float32"}, "float32"),
        ({"torch_dtype": "bfloat16"}, "bfloat16"),
        ({"torch_dtype": "torch.float16"}, "float16"),
        ({"text_config": {"dtype": "float64"}}, "float64"),
        ({}, "a type that its files do not say"),
        ([1], "a type that its files do not say"),
    ],
)
def test_the_type_that_the_files_say(config: object, dtype: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert dtype_of(LocalReference("hf:x", tmp_path)) == dtype
    assert dtype_of(LocalReference("hf:x", tmp_path, "float16")) == "float16"
