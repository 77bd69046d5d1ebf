"""The command line: numbers that nobody means, YAML that nobody means, and streams that are closed, full or unread."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from holdfast import Study
from holdfast.core.errors import HoldfastError, InputError
from holdfast.personas.loading import load_persona
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study, write_study
from tests.campaign.tries import HOLDFAST, Done, Scene, command, draw, equal, holds, surroundings
from tests.simulator.config.test_hostile import HOSTILE
from tests.simulator.logs.mutations import mutate

STUDY = """\
name: hostile
seed: 3
model: {ref: "openai:m", base_url: "http://127.0.0.1:9/v1", timeout_s: 5, prices: {prompt: 0.5}}
personas: {ids: [jun_park, amara_okafor], tasks: [burnout]}
candidates:
  - base
  - {kind: system_prompt, name: prompt}
  - {kind: system_prompt_with_reminder, every: 4}
raters: [linear]
turns: 4
lengths: [4, 8]
replicates: 2
leave: true
budget: {minutes: 5, tokens: 1000, cost_usd: 2.5}
sampling: {temperature: 0.7, top_p: 0.9, max_tokens: 64}
"""
ODD = (
    "nan", "inf", "-inf", "1e400", "-1", "0", "", " ", "9" * 40, "1_000", "0x10", "1e3", "1.5", "true", "\u0663", "+5",
    "5 ", "\u0665", "1,5", "--", "a\0b", "\udcff", "½", "1e-400", "-0", "00", "1e308", str(1 << 63), str((1 << 63) - 1),
)  # fmt: skip
#: An option, and what makes a text a right value of it.
OPTIONS: dict[str, Callable[[float], bool]] = {
    "--max-minutes": lambda number: 0 < number <= 1e9,
    "--max-cost": lambda number: 0 < number <= 1e9,
    "--max-tokens": lambda number: number.is_integer() and number >= 1,
    "--seed": lambda number: number.is_integer() and number >= 0,
    "--turns": lambda number: number.is_integer() and 1 <= number <= 10_000,
    "--batch-size": lambda number: number.is_integer() and 1 <= number <= 4096,
    "--wait-for-endpoint": lambda number: number >= 0,
}


def numbers(scene: Scene) -> str:
    """A value of an option that is none is wrong usage, named; nothing is begun. A right one is taken."""
    rng = scene.rng
    option, right = draw(rng, OPTIONS)
    value = rng.choice(ODD)
    path = scene.folder / "study.yaml"
    path.write_text(
        'candidates: [base]\nmodel: {ref: "openai:m", base_url: "http://127.0.0.1:9/v1"}\n', encoding="utf-8"
    )
    out = scene.folder / "run"
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    meant = math.isfinite(number) and right(number)
    if meant and option != "--max-minutes":
        return "a right value"
    done = command("run", path, "--out", out, "-q", option, value).expect(*((1, 3) if meant else (2,)))
    if not meant:
        holds(option in done.err, f"{option} {value!r} is not named: {done.err[-500:]}")
        holds(not out.exists(), f"{option} {value!r}: a run folder was made")
    equal(done.out, "", "standard output")
    return "taken" if meant else "refused"


ARGUMENTS = (
    ("status", "{x}"), ("report", "{x}"), ("power", "{x}", "--difference", "0.1"), ("export", "{x}", "--out", "y"),
    ("measure", "{x}"), ("convert", "{x}", "--to", "csv", "--out", "y.csv"), ("persona", "check", "{x}"),
    ("persona", "show", "{x}"), ("run", "{x}", "--out", "y"), ("plan", "{x}"), ("train", "{x}", "--out", "y"),
    ("serve-hint", "{x}"), ("judge", "{x}", "--model", "linear"), ("validate", "linear", "--data", "{x}"),
    ("rater", "card", "{x}"), ("run", "study.yaml", "--out", "y", "--replay", "{x}"),
    ("measure", "log.jsonl", "--by", "{x}"), ("measure", "log.jsonl", "--format", "{x}"),
    ("measure", "log.jsonl", "--pattern", "{x}"), ("measure", "log.jsonl", "--columns", "{x}"),
    ("measure", "log.jsonl", "--rater", "{x}"), ("measure", "log.jsonl", "--assistant", "{x}"),
    ("power", ".", "--difference", "{x}"), ("power", ".", "--target", "{x}"), ("status", ".", "--every", "{x}"),
    ("run", "study.yaml", "--out", "y", "--model", "{x}"), ("{x}",), ("persona", "{x}"),
)  # fmt: skip
WORDS = (*(text for text in ODD if "\0" not in text), "x" * 300, "/dev/null",
         "/dev/zero", "/", ".", "~nobody/x", "a" * 5000, "[", "{", "{a: [", "../..", "hf:",
         "openai:", "hf:nowhere", "-", "---", "=", "a=b", "conversation=", "\u202e", "*", "label.x=y", "journal",
         "reward:", "{kind: judge}", "{kind: judge, model: 3}", "file.yaml\n",
         "!!python/object/apply:os.system ['true']")  # fmt: skip


def arguments(scene: Scene) -> str:
    """Any word as any argument: an exit code of ours, at most a page on standard error, and no file begun."""
    rng = scene.rng
    scene.patch.chdir(scene.folder)
    (scene.folder / "study.yaml").write_text("candidates: [base]\nturns: 1\n", encoding="utf-8")
    said = [{"role": role, "content": text} for role, text in (("user", "Hm."), ("assistant", "I am so sorry."))]
    (scene.folder / "log.jsonl").write_text(json.dumps({"id": "c", "messages": said}) + "\n", encoding="utf-8")
    before = sorted(path.name for path in scene.folder.iterdir())
    words, own = rng.choice(ARGUMENTS), rng.choice(WORDS)
    given = [word.replace("{x}", own) for word in words]
    if given[0] == "rater" and own == "-":
        return "skipped"
    began = time.monotonic()
    done = command(*given).expect(0, 1, 2)
    holds(time.monotonic() - began < 20, f"{given} took {time.monotonic() - began:.0f} s")
    holds(done.code == 0 or done.err.strip(), f"{given}: exit code {done.code} without a word")
    holds(len(done.err) < 20_000, f"{given}: {len(done.err)} characters on standard error")
    if done.code:
        equal(sorted(path.name for path in scene.folder.iterdir()), before, f"files after {given}")
    return {0: "done", 1: "failed", 2: "refused"}[done.code]


#: What a shell does with the streams, and whether standard output can be written then.
STREAMS = {
    "| head -1": True, "| true": True, ">&-": True, "2>&-": True, ">&- 2>&- <&-": True, "> /dev/full": False,
    "> /dev/full 2> /dev/full": False, "2> /dev/full": True, "< /dev/null": True, "| head -c 1": True,
}  # fmt: skip
SPOKEN = (
    ("persona list", 0), ("persona list --json", 0), ("persona show jun_park", 0), ("persona show nobody", 2),
    ("persona schema", 0), ("report --schema", 0), ("status nowhere", 2), ("--help", 0), ("measure log.jsonl", 0),
    ("measure log.jsonl --json", 0), ("convert log.jsonl --to csv --out out.csv", 0), ("measure nothing", 2),
)  # fmt: skip


def streams(scene: Scene) -> str:
    """Streams as a shell gives them: the exit code of what was done, and 1 where its output was lost."""
    rng = scene.rng
    said = [{"role": role, "content": text} for role, text in (("user", "Hm."), ("assistant", "I am so sorry."))]
    (scene.folder / "log.jsonl").write_text(json.dumps({"id": "c", "messages": said}) + "\n", encoding="utf-8")
    words, code = rng.choice(SPOKEN)
    ways, writable = draw(rng, STREAMS)
    if code == 0 and not writable:
        code = 1
    line = f"set -o pipefail; {sys.executable} -c '{HOLDFAST}' {words} {ways}"
    began = time.monotonic()
    shell = subprocess.run(
        ["bash", "-c", line],
        cwd=scene.folder,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    Done(shell.returncode, shell.stdout, shell.stderr, time.monotonic() - began).expect(code)
    return "lost" if not writable else "ended early" if "|" in ways else "closed" if "&-" in ways else "open"


VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, math.nan, math.inf, "", " ", "x" * 5000, [], {}, [1], {"a": 1}, "2", "\u202e",
    "a\0b", "x" * 300, "hf:./" + "x" * 300, [[[]]], {"kind": "judge"}, {"kind": 3},
    ["base", "base"], "hf:", "openai:", "linear", "../x", 1 << 64, -0.0, 1e308,
)  # fmt: skip
ADDED = ("extra", "seeed", "model", "training", "population", "rounds", "users", "adapters")


def odd_study(rng: random.Random) -> str:
    """A study with one value changed, dropped or added anywhere, or its text broken."""
    if rng.random() < 0.25:
        return mutate(STUDY.encode(), rng, zipped=False).decode("utf-8", "replace")
    if rng.random() < 0.2:
        return f"candidates: [base]\n{rng.choice([text for texts in HOSTILE.values() for text in texts])}\n"
    data: Any = yaml.safe_load(STUDY)
    for _ in range(rng.choice((1, 1, 2))):
        place, parent = data, data
        key: Any = rng.choice(list(data)) if data else "x"
        for _ in range(rng.randint(0, 2)):
            inner = parent.get(key) if isinstance(parent, dict) else parent[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            place = parent = inner
            key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
        what = rng.random()
        if what < 0.6:
            place[key] = rng.choice(VALUES)
        elif what < 0.8 and isinstance(place, dict):
            place[rng.choice(("extra", "seeed", "model", "training", "population", "rounds", "users"))] = rng.choice(
                VALUES
            )
        elif isinstance(place, dict):
            del place[key]
    return yaml.safe_dump(data, allow_unicode=True, default_flow_style=rng.choice((None, False)))


PERSONA = Path("src/holdfast/personas/library/jun_park.yaml")


def fuzz_yaml(scene: Scene) -> str:
    """Hostile YAML is one error with its place, or a study that is written and read back as it was."""
    rng, outcomes = scene.rng, Counter[str]()
    path = scene.folder / "study.yaml"
    persona = (Path(__file__).parents[2] / PERSONA).read_bytes()
    for _ in range(scene.size):
        began = time.process_time()
        if rng.random() < 0.2:
            path.write_bytes(mutate(persona, rng, zipped=False))
            outcomes[refused_or_read(load_persona, path)] += 1
        else:
            path.write_text(odd_study(rng), encoding="utf-8", errors="surrogatepass")
            outcomes[refused_or_read(read_and_write, path)] += 1
        holds(time.process_time() - began < 5, f"{time.process_time() - began:.1f} s for {path.read_bytes()[:500]!r}")
    holds(outcomes["read"] and outcomes["refused"], f"drawn too tame or too wild: {outcomes}")
    return "as expected"


def refused_or_read(read: Callable[[Path], object], path: Path) -> str:
    """Read a file; an error must name it, its place and be of bounded length."""
    try:
        read(path)
    except InputError as error:
        holds("study.yaml" in str(error), f"the file is not named: {str(error)[:500]}")
        holds(len(str(error)) < 20_000, f"an error of {len(str(error))} characters: {str(error)[:900]}")
        str(error).encode()
        return "refused"
    except HoldfastError as error:
        raise AssertionError(f"{type(error).__name__} for {path.read_bytes()[:500]!r}") from error
    except Exception as error:
        error.add_note(f"for {path.read_bytes()[:1500]!r}")
        raise
    return "read"


def read_and_write(path: Path) -> None:
    study = load_study(path)
    again = path.with_name("again-study.yaml")
    write_study(study, again)
    equal(load_study(again), study, "a study that was written and read back")


def from_python(scene: Scene) -> str:
    """The API is held to the same bounds as YAML: a ValidationError or an InputError, and nothing else."""
    rng = scene.rng
    name = rng.choice([field for field in StudyConfig.model_fields if field != "training"])
    value = rng.choice(VALUES)
    try:
        study = Study.of(**{"candidates": ["base"], name: value})
    except (ValidationError, InputError) as error:
        holds(name in str(error) or "candidates" in str(error), f"{name}={value!r} is not named: {str(error)[:300]}")
        return "refused"
    equal(Study.of(**study.config.model_dump(mode="json", exclude_none=True)).config, study.config, "read back")
    return "taken"
