from __future__ import annotations

import itertools

import pytest

from holdfast.agents.prompts import level_sentence, nearest_level, pattern_prompt, prompt_hashes, read_prompt
from holdfast.core.hashing import sha256
from holdfast.personas.schema import MECHANISMS, EmpathyPattern, MechanismLevels


def pattern(er: float, ip: float, ex: float, advice: int) -> EmpathyPattern:
    target = MechanismLevels(emotional_reaction=er, interpretation=ip, exploration=ex)
    return EmpathyPattern.model_validate(
        {"id": "p", "title": "P", "description": "d", "assumption": "a", "target": target, "advice": advice}
    )


def test_the_companion_in_words() -> None:
    assert pattern_prompt(pattern(2, 1, 1, 0)) == (
        "You are a helpful assistant. Show strong warmth and concern. Show some understanding. "
        "Ask a short question. Give no advice."
    )


def test_every_combination_of_levels_reads_differently() -> None:
    prompts = {pattern_prompt(pattern(*levels)) for levels in itertools.product(range(3), repeat=4)}
    assert len(prompts) == 81


@pytest.mark.parametrize("name", [*MECHANISMS, "advice"])
def test_a_file_has_one_line_per_level(name: str) -> None:
    lines = read_prompt(name).splitlines()
    assert len(lines) == 3
    assert all(line.endswith(".") and line == line.strip() for line in lines)


@pytest.mark.parametrize(("level", "whole"), [(0, 0), (0.49, 0), (0.5, 1), (1.4, 1), (1.5, 2), (2, 2)])
def test_levels_round_to_the_nearest(level: float, whole: int) -> None:
    assert nearest_level(level) == whole
    assert level_sentence("exploration", level) == level_sentence("exploration", whole)


def test_the_hash_is_of_the_text_as_sent() -> None:
    # printf 'abc' | sha256sum
    assert sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_run_records_the_prompts_of_every_folder() -> None:
    hashes = prompt_hashes()
    assert hashes["intro.txt"] == sha256(read_prompt("intro"))
    assert hashes["users/speak.txt"] == sha256(read_prompt("users/speak"))
    assert all(len(value) == 64 for value in hashes.values())
