"""Broken YAML of every kind that one writes: one error with a place, never a traceback, never long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import holdfast.personas
from holdfast.core.errors import InputError
from holdfast.personas.loading import load_persona
from holdfast.personas.world import world_with
from holdfast.simulator.config.study_file import load_study
from tests.simulator.logs.mutations import PLAIN

SHIPPED = Path(holdfast.personas.__file__).parent
STUDY = """\
name: mine
seed: 7
turns: 6
tasks:
  - {id: night, title: Restarts, description: Why., pattern: solver, topics: [a, b, c], needs: [d, e, f]}
personas:
  ids: [jun_park]
  per_task: 2
  vary: {count: 3, seed: 1, fields: {patience: [2, 4], speech: [terse, plain], temperament: {warmth: [0, 1]}}}
users: [{kind: embedded, voice: natural}]
candidates: [base, {kind: system_prompt, examples: true}, {kind: app, url: "http://127.0.0.1:9/x"}]
raters: [linear, linear_peers]
feeler: formula
training: {dialogues_per_pattern: 4, turns: 4, held_out_share: .2, method: sft}
"""
EXTENDING = b"""\
extends: jun_park
id: jun_in_a_hurry
patience: 2
temperament: {reactivity: 0.9}
story: {met: [Just so.], openings: {practical: [Short question.]}}
"""
# fmt: off
TOKENS = (
    "&a [*a]", "&a", "*a", "*b", "<<: *a", "!!python/object/apply:os.system [ls]", "!!binary x", "? ", "- ", ": ", "\t",
    "---\n", "...\n", "|\n", ">-\n", "{", "}", "[" * 2000, "{a: " * 500, "~", ".nan", ".inf", "-.inf", "1e999",
    "9" * 5000, "0x1F", "2001-01-01", "yes", "null", "''", '"\\ud800"', "\x00", "\u202e", "\ufeff", "#", "%YAML 9.9\n",
    "@", "`",
)
# fmt: on
LONGEST_S = 2.0


def read_task(path: Path) -> object:
    return world_with((str(path),), ())


def read_pattern(path: Path) -> object:
    return world_with((), (str(path),))


def shipped(folder: str) -> bytes:
    return min((SHIPPED / folder).glob("*.yaml")).read_bytes()


KINDS: dict[str, tuple[Callable[[Path], object], bytes]] = {
    "persona": (load_persona, shipped("library")),
    "extending persona": (load_persona, EXTENDING),
    "task": (read_task, shipped("tasks").replace(b"id: ", b"id: own_", 1)),
    "pattern": (read_pattern, shipped("patterns").replace(b"id: ", b"id: own_", 1)),
    "study": (load_study, STUDY.encode()),
}


def mutated(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 3))):
        if data and rng.random() < 0.5:
            data = rng.choice(PLAIN)(data, rng)
        else:
            at = rng.randrange(len(data) + 1)
            data = data[:at] + rng.choice(TOKENS).encode("utf-8", "surrogatepass") + data[at:]
    return data


def read_all(kind: str, count: int, folder: Path) -> tuple[int, float]:
    """Read ``count`` broken files; return how many are refused, and the longest CPU seconds of one."""
    reader, valid = KINDS[kind]
    path, rng = folder / f"{kind}.yaml", random.Random(kind)
    path.write_bytes(valid)
    reader(path)
    refused, longest = 0, 0.0
    for _ in range(count):
        path.write_bytes(mutated(valid, rng))
        began = time.process_time()
        try:
            reader(path)
        except InputError as error:
            refused += bool(str(error).strip())
        longest = max(longest, time.process_time() - began)
    return refused, longest


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_broken_files_are_one_error(kind: str, tmp_path: Path) -> None:
    refused, longest = read_all(kind, 60, tmp_path)
    assert refused > 30
    assert longest < LONGEST_S


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_broken_files_are_one_error_each(kind: str, tmp_path: Path) -> None:
    refused, longest = read_all(kind, 10_000, tmp_path)
    assert refused > 5_000
    assert longest < LONGEST_S
