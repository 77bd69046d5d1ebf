from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agents.models.references import ModelReference, resolve
from personas.errors import InputError

MICRO = Path("somewhere/base")


def test_micro_runs_in_float64_where_the_caller_says() -> None:
    assert resolve("micro", MICRO) == ModelReference("micro", MICRO, "float64")


def test_hf_names_a_folder() -> None:
    assert resolve("hf:models/llama:v2", MICRO) == ModelReference("hf:models/llama:v2", Path("models/llama:v2"), "auto")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("mirco", "unknown model reference 'mirco'; allowed: micro, hf:PATH; did you mean 'micro'?"),
        ("hf:", "'hf:' names no folder; write hf:PATH"),
        ("gpt-4o", "unknown model reference 'gpt-4o'; allowed: micro, hf:PATH"),
        ("", "unknown model reference ''"),
    ],
)
def test_unknown_words_say_what_is_allowed(reference: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(reference, MICRO)
    assert says in str(caught.value)


def test_reading_a_reference_imports_no_torch() -> None:
    program = "import sys, agents.models.references; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
