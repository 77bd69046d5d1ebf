"""Local models: templates, clocks, positions, ends of turns, resumed runs, cut dialogues, absurd model folders."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.routing.router import WordRouter
from holdfast.adapters.training.data import AdapterJob, TrainingData
from holdfast.adapters.training.lora import build_trainer
from holdfast.adapters.training.settings import settings_for
from holdfast.adapters.training.tokenised import tokenise
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from holdfast.core.errors import HoldfastError, JournalError, ModelError
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from tests.adapters.standins import build_base, training_dialogue
from tests.agents.models.conftest import CONFIGS, TEMPLATE, build_adapter, build_model
from tests.agents.models.local.test_decoding import ask, speaker
from tests.agents.models.local.test_rope import config, says
from tests.campaign.tries import Scene, command, draw, equal, holds
from tests.simulator.runtime.test_resumed_with_other_files import CHANGES, begun, edit, study


@cache
def files() -> Path:
    """A base, an adapter and a router, to be copied."""
    root = Path(mkdtemp(prefix="holdfast-campaign-"))
    base = build_model(CONFIGS["llama"], root / "base")
    (base / "README.md").write_text("a card")
    build_adapter(base, root / "adapters" / "solver", 11)
    arrays = np.zeros(1), np.zeros((1, 2)), np.zeros(2)
    WordRouter(("bug_hunt", "burnout"), ("bug",), *arrays).save(root / "adapters" / "router.npz")
    return root


def with_template(scene: Scene, source: str) -> Path:
    """A copy of the base whose chat template is ``source``."""
    folder = scene.folder / "model"
    shutil.copytree(files() / "base", folder)
    (folder / "chat_template.jinja").write_text(source, encoding="utf-8")
    return folder


def generate(folder: Path, *messages: Message, **more: Any) -> Generation:
    model = LocalChatModel.load(folder, dtype="float64", **more)
    request = GenerationRequest("k", messages, 1, sampling=Sampling(0, max_tokens=6))
    return asyncio.run(model.generate(request))


IF_NO_SYSTEM = "in messages if m['role'] != 'system' %}"
REFUSING = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
#: Name -> a template, and what it does with a system message.
TEMPLATES: dict[str, tuple[str, str]] = {
    "takes": (TEMPLATE, "takes"),
    "drops": (TEMPLATE.replace("in messages %}", IF_NO_SYSTEM), "drops"),
    "refuses": (REFUSING + TEMPLATE, "refuses"),
    "keeps the first words": (TEMPLATE.replace("{{ m['content'] }}", "{{ m['content'][:2] }}"), "drops"),
    "moves to the user": (
        TEMPLATE.replace(
            "<{{ m['role'] }}> {{ m['content'] }}",
            "{% if m['role'] == 'user' %}<user> {% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] }} "
            "{% endif %}{{ m['content'] }}{% elif m['role'] == 'assistant' %}<assistant> {{ m['content'] }}{% endif %}",
        ),
        "takes",
    ),
    "endless": ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}" + TEMPLATE, "wild"),
    "no template": ("{% for m", "wild"),
    "draws": ("{{ ['a', 'b'] | random }}" + TEMPLATE, "wild"),
}


def templates(scene: Scene) -> str:
    """A system prompt arrives in the prompt, or the cause is told; it is never measured as if it had been there."""
    rng = scene.rng
    name, (source, does) = draw(rng, TEMPLATES)
    folder = with_template(scene, source)
    words = " ".join(f"w{rng.randrange(90)}" for _ in range(rng.randint(3, 8)))
    user, system = Message("user", "w1 w2"), Message("system", words)
    if rng.random() < 0.3 and does != "wild":
        fields = {"model": f"hf:{folder}", "personas": {"ids": ["jun_park"]}, "turns": 2, "sampling": {"max_tokens": 4}}
        path = scene.folder / "study.yaml"
        path.write_text(json.dumps(fields | {"candidates": ["system_prompt"]}), encoding="utf-8")
        taken = does == "takes"
        done = command("run", path, "--out", scene.folder / "run", "-q").expect(*((0,) if taken else (1, 2)))
        holds(taken or "template" in done.err, f"{name}: the template is not named: {done.err[-800:]}")
        return f"a study: {does}"
    if does == "wild":
        try:
            generate(folder, user)
        except ModelError as error:
            holds("template" in str(error), f"{name}: {error}")
            return does
        holds(False, f"{name}: taken")
    if name != "keeps the first words":
        prompt = AutoTokenizer.from_pretrained(folder).apply_chat_template(
            [user.as_dict()], add_generation_prompt=True, tokenize=True, return_dict=True
        )
        equal(generate(folder, user).prompt_tokens, len(prompt["input_ids"]), f"{name}: prompt tokens")
    try:
        made = generate(folder, system, user)
    except ModelError as error:
        holds(does != "takes", f"{name}: {error}")
        cause = "System role not supported" if does == "refuses" else "drops the system message"
        holds(cause in str(error), f"{name}: {error}")
        return does
    equal(does, "takes", f"{name}: what becomes of a system prompt")
    holds(made.prompt_tokens >= len(words.split()) + 4, f"{name}: {made.prompt_tokens} prompt tokens")
    return does


def clock(scene: Scene) -> str:
    """A template that asks for the time is told the study's date: another day or time zone changes no word."""
    rng = scene.rng
    source = "{{ strftime_now('" + rng.choice(("w%d w%m", "w%H w%M w%d", "w%j w%y")) + "') }} " + TEMPLATE
    folder, made = with_template(scene, source), []
    for zone in rng.sample(("UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata"), 2):
        scene.patch.setenv("TZ", zone)
        time.tzset()
        made.append(generate(folder, Message("user", "w1 w2")))
    scene.patch.delenv("TZ")
    time.tzset()
    equal(made[1], made[0], "what is said in another time zone")
    return "stands still"


def positions(scene: Scene) -> str:
    """Words depend neither on the neighbour in a batch nor on the cache; past the original context is refused."""
    rng = scene.rng
    kind = rng.choice(("phi3", "llama longrope", "dynamic", "linear", "yarn", "llama3"))
    folder = build_model(config(kind), scene.folder / "model", seed=rng.randrange(1000))
    sampling = Sampling(0, max_tokens=5)
    text, long = (" ".join(f"w{rng.randrange(90)}" for _ in range(size)) for size in (rng.randint(2, 9), 45))

    async def both(*texts: str) -> list[Generation]:
        model = LocalChatModel.load(folder, dtype="float64", batch_size=4)
        asked = [GenerationRequest(f"k{n}", says(each), 1, sampling=sampling) for n, each in enumerate(texts)]
        return list(await asyncio.gather(*map(model.generate, asked)))

    (alone,), beside = asyncio.run(both(text)), asyncio.run(both(text, long))
    equal(beside[0], alone, f"{kind}: what is said beside another conversation")
    if kind in ("phi3", "llama longrope"):
        try:
            asyncio.run(both("w1 " * rng.randint(62, 200)))
        except ModelError as error:
            holds("LongRoPE factors change" in str(error), f"the cause: {error}")
            return "refused past its context"
        holds(False, f"{kind}: a conversation past the original context was taken")
    return "the same alone"


WORDS = ("sad", "so", "hi", "there")


def end_of_turn(scene: Scene) -> str:
    """A reply ends at its mark; thoughts before it are apart; one that is cut says so."""
    rng = scene.rng
    words = rng.sample(WORDS, len(WORDS))
    at = rng.randint(1, 3)
    speech, rest = words[:at], words[at:]
    kind = rng.choice(("eos", "mark", "thought", "thought cut", "cut"))
    if kind == "eos":
        said, expected = [*speech, "</s>"], (" ".join(speech), "", "answered")
    elif kind == "mark":
        said, expected = [*speech, "<|end|>", *rest, "</s>"], (" ".join(speech), "", "answered")
    elif kind == "thought":
        said = ["[THINK]", *rest, "[/THINK]", *speech, "</s>"]
        expected = (" ".join(speech), " ".join(rest), "answered")
    elif kind == "thought cut":
        said, expected = ["[THINK]", *words, "</s>"], ("", " ".join(words[:3]), "thoughts only")
    else:
        said, expected = [*words, "</s>"], (" ".join(words[:3]), "", "cut")
    most = {"thought cut": 4, "cut": 3}.get(kind, 30)
    made = asyncio.run(ask(speaker(scene.folder, " ".join(said)), most))
    equal((made.text, made.thoughts, made.outcome), expected, f"{' '.join(said)}: text, thoughts, outcome")
    return kind


def resumed(scene: Scene) -> str:
    """A run goes on only with the files that it began with; then its hash is that of an undisturbed run."""
    rng = scene.rng
    made, out = begun(files(), scene.folder)
    before = (out / "journal.sqlite").read_bytes()
    if rng.random() < 0.3:
        (made / "base" / "README.md").write_text("another card")
        study(made).run(out, resume=True)
        study(made).run(scene.folder / "calm")
        hashes = [transcripts_sha256(read_episodes(run / "journal.sqlite")) for run in (out, scene.folder / "calm")]
        equal(hashes[0], hashes[1], "the hash of a resumed run")
        return "gone on"
    named = rng.choice(list(CHANGES))
    CHANGES[named](made)
    try:
        study(made).run(out, resume=True)
    except JournalError as error:
        holds("the study has changed" in str(error) and named in str(error), f"{named}: {error}")
    else:
        holds(False, f"a run went on with another {named}")
    equal((out / "journal.sqlite").read_bytes(), before, "the journal of a refused run")
    return "refused"


@cache
def trainable() -> Path:
    return build_base(Path(mkdtemp(prefix="holdfast-campaign-")))


def cut_dialogues(scene: Scene) -> str:
    """What is learned are the assistant's tokens that lie within ``max_length``, and no other."""
    rng = scene.rng
    longest = rng.choice((32, 40, 48, 64, 2048))
    dialogues = [training_dialogue(n, turns=rng.randint(1, 6)) for n in range(rng.randint(1, 4))]
    messages = [[line.model_dump() for line in dialogue.messages] for dialogue in dialogues]
    data = tokenise(dialogues, trainable(), longest, "d.jsonl")
    training = TrainingConfig(steps=1, batch_size=1, threads=1, max_length=longest)
    job = AdapterJob("warm", trainable(), "tiny", scene.folder / "d.jsonl", scene.folder / "out", 3)
    trainer = build_trainer(job, settings_for(training, trainable()), TrainingData.of(data), str(scene.folder))
    tokenizer = AutoTokenizer.from_pretrained(trainable())
    rows = [trainer.train_dataset[n] for n in range(len(trainer.train_dataset))]
    equal(len(rows), len(dialogues), "dialogues")
    batch = trainer.data_collator([rows[n] for n in range(len(rows))])
    cut = tokens = 0
    for lines, ids, labels in zip(messages, batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        whole = tokenizer.apply_chat_template(lines, return_dict=True, return_assistant_tokens_mask=True)
        mask = whole["assistant_masks"]
        size = min(len(whole["input_ids"]), longest)
        equal(ids[:size], whole["input_ids"][:size], "tokens")
        learned = [token if said else -100 for token, said in zip(whole["input_ids"], mask, strict=True)][:size]
        equal(labels[:size], learned, "labels")
        holds(set(labels[size:]) <= {-100}, f"labels past {longest} tokens: {labels[size:]}")
        tokens += sum(mask[:size])
        cut += len(mask) > longest
    equal(data.trained_on.tokens, tokens, "tokens that something is learned from")
    return "cut" if cut else "whole"


LAYERS = (10**9, 10**30, -1, 0, "3", None)
ABSURD: dict[str, Callable[[Path, random.Random], object]] = {
    "layers": lambda base, rng: edit(base / "config.json", num_hidden_layers=rng.choice(LAYERS)),
    "width": lambda base, rng: edit(base / "config.json", hidden_size=rng.choice((10**9, 0, -4, 33, 1.5))),
    "words": lambda base, rng: edit(base / "config.json", vocab_size=rng.choice((10**12, 1, -1))),
    "heads": lambda base, rng: edit(base / "config.json", num_attention_heads=rng.choice((0, 3, 10**9))),
    "kind": lambda base, rng: edit(base / "config.json", model_type=rng.choice(("nobody", "", "bert", 3))),
    "code": lambda base, rng: edit(base / "config.json", auto_map={"AutoModelForCausalLM": "evil.Evil"}),
    "no config": lambda base, rng: (base / "config.json").write_bytes(rng.choice((b"", b"{", b"[]", b"\xff", b"null"))),
    "tokenizer": lambda base, rng: (base / "tokenizer.json").write_bytes(rng.choice((b"", b"{}", b"[" * 10**5))),
    "weights": lambda base, rng: (base / "model.safetensors").write_bytes(rng.choice((b"", b"\xff" * 64, bytes(8)))),
    "half": lambda base, rng: (base / "model.safetensors").write_bytes(
        (base / "model.safetensors").read_bytes()[: rng.randrange(9, 5000)]
    ),
    "deep": lambda base, rng: (base / "config.json").write_text("[" * 100_000),
}  # fmt: skip


def absurd_models(scene: Scene) -> str:
    """A model folder that nobody can load is told in one line, in seconds, with what it is."""
    name, spoil = draw(scene.rng, ABSURD)
    base = scene.folder / "base"
    shutil.copytree(files() / "base", base)
    spoil(base, scene.rng)
    (base / "evil.py").write_text("raise SystemExit('run')\nclass Evil: ...\n")
    began = time.monotonic()
    fields = {"model": f"hf:{base}", "personas": {"ids": ["jun_park"]}, "candidates": ["base"], "turns": 1}
    path = scene.folder / "study.yaml"
    path.write_text(json.dumps(fields | {"sampling": {"max_tokens": 2}}), encoding="utf-8")
    done = command("run", path, "--out", scene.folder / "run", "-q").expect(0, 1, 2)
    holds(done.code == 0 or str(base) in done.err, f"{name}: the folder is not named: {done.err[-800:]}")
    holds(len(done.err.splitlines()) < 40, f"{name}: {len(done.err.splitlines())} lines on standard error")
    holds(time.monotonic() - began < 30, f"{name} took {time.monotonic() - began:.0f} s")
    return "loaded all the same" if done.code == 0 else "told"


def tells(read: Callable[[], object]) -> str:
    """Whether something is taken, or refused in our words."""
    try:
        read()
    except HoldfastError as error:
        holds(len(str(error)) < 5000, f"an error of {len(str(error))} characters: {str(error)[:900]}")
        return "refused"
    return "taken"
