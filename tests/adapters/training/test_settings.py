"""How a LoRA is trained where the study does not say: by the base's size, on this CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.micro import base_path
from holdfast.adapters.training import settings as module
from holdfast.adapters.training.settings import settings_for, settings_of_size
from holdfast.agents.models.local.safetensors_files import parameters_in

SIZES = {"micro": 1_200_000, "small": 135_000_000, "half": 500_000_000, "large": 8_000_000_000}


def test_the_embedded_model_is_trained_as_ever() -> None:
    settings = settings_for(TrainingConfig(), base_path())
    as_ever = (settings.rank, settings.alpha, settings.learning_rate, settings.steps, settings.dtype)
    assert as_ever == (8, 16, 3e-3, 60, "float32")
    assert settings.patience == 0  # nothing is held out
    assert settings.rows_a_pass(2048) == 8  # and nothing summed


def test_the_larger_the_base_the_smaller_the_steps() -> None:
    rates = [settings_of_size(TrainingConfig(), size).learning_rate for size in SIZES.values()]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4
    gentler = [settings_of_size(TrainingConfig(method="dpo"), size).learning_rate for size in SIZES.values()]
    assert all(dpo < sft for dpo, sft in zip(gentler, rates, strict=True))


def test_what_the_study_says_comes_first_and_the_rest_is_called_assumed() -> None:
    config = TrainingConfig(rank=4, learning_rate=0.5, patience=0)
    settings = settings_of_size(config, SIZES["small"])
    assert (settings.rank, settings.alpha, settings.learning_rate, settings.patience) == (4, 8, 0.5, 0)
    assert settings.assumed == ("alpha", "steps")


def test_numbers_are_bfloat16_where_the_cpu_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for native, dtype in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(module, "native_bfloat16", lambda native=native: native)
        assert settings_of_size(TrainingConfig(), SIZES["small"]).dtype == dtype
        assert settings_of_size(TrainingConfig(), SIZES["micro"]).dtype == "float32"
        assert settings_of_size(TrainingConfig(dtype="bfloat16"), SIZES["micro"]).dtype == "bfloat16"
        assert settings_of_size(TrainingConfig(dtype="float32"), SIZES["small"]).dtype == "float32"


@pytest.mark.parametrize(
    ("capabilities", "native"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({}, False),
    ],
)
def test_native_means_that_the_cpu_says_so(
    capabilities: dict[str, bool], native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert module.native_bfloat16() is native


@pytest.mark.parametrize(("longest", "rows"), [(200, 8), (300, 4), (700, 2), (1100, 1), (9000, 1)])
def test_a_pass_reads_no_more_rows_than_fit_and_divides_the_batch(longest: int, rows: int) -> None:
    settings = settings_of_size(TrainingConfig(batch_size=8), SIZES["small"])
    assert settings.rows_a_pass(longest) == rows
    assert replace(settings, batch_size=6).rows_a_pass(500) == 3


def test_parameters_are_those_of_the_files(base: Path) -> None:
    from transformers import AutoModelForCausalLM

    assert parameters_in(base) == AutoModelForCausalLM.from_pretrained(base).num_parameters()
