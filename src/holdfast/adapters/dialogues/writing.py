"""The synthetic pipeline of Shayegani et al. (2025, arXiv 2511.03143): steer, filter, split, export, for every pattern.

Only training personas take part; their user agents speak as in a study. A pattern meets the personas of every task
that asks for it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import ModelOrigin, Origin, RaterOrigin, distil
from holdfast.adapters.dialogues.filtering import KeptCounts, Standard, count_kept, usable_turns
from holdfast.adapters.dialogues.split import Split
from holdfast.adapters.dialogues.steering import DialoguePlan, SteeredDialogue, hold_dialogues
from holdfast.adapters.progress import StageProgress, silent
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.protocols import ChatModel, Sampling, UserAgent
from holdfast.agents.raters.protocol import Rater
from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import sha256
from holdfast.core.jsonl import write_lines
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext


@dataclass(frozen=True, slots=True)
class TrainingPeople:
    """The personas of a study, split for training, with their tasks, patterns and user agents."""

    split: Split
    tasks: Mapping[str, TaskContext]
    patterns: Mapping[str, EmpathyPattern]
    agent_for: Callable[[Persona], UserAgent]

    def pattern_ids(self, wanted: Sequence[str] = ()) -> tuple[str, ...]:
        """Return ``wanted``, or every pattern that a task of the training personas asks for; sorted.

        Raises:
            InputError: no training persona needs a wanted pattern.
        """
        asked = {self.tasks[persona.task].pattern for persona in self.split.train}
        unserved = sorted(set(wanted) - asked)
        if unserved:
            raise InputError(
                f"no persona to train on has a task with the pattern {', '.join(unserved)}; "
                f"patterns asked for: {', '.join(sorted(asked))}"
            )
        return tuple(sorted(wanted or asked))

    def learners(self, pattern: str) -> tuple[Persona, ...]:
        """Return the training personas whose task asks for ``pattern``."""
        return tuple(persona for persona in self.split.train if self.tasks[persona.task].pattern == pattern)

    def standard(self, pattern: EmpathyPattern, min_adherence: float) -> Standard:
        """Return the standard that replies must meet.

        It knows the feelings and topics of all personas and tasks, to detect a reply that names one the user did not.
        """
        everyone = (*self.split.train, *self.split.test)
        topics = {topic for persona in everyone for topic in persona.topics}
        topics |= {goal.topic for persona in everyone for goal in persona.goals}
        topics |= {topic for task in self.tasks.values() for topic in task.topics}
        feelings = {feeling for persona in everyone for feeling in persona.feelings}
        return Standard(pattern.target, min_adherence, frozenset(feelings), frozenset(topics))


@dataclass(frozen=True, slots=True)
class DialogueFile:
    """The training dialogues of one pattern and their statistics. ``mean_adherence``: over the kept turns."""

    pattern: str
    path: Path
    sha256: str
    personas: tuple[str, ...]
    counts: KeptCounts
    mean_adherence: float


@dataclass(frozen=True, slots=True)
class UserMessages:
    """The user's side of one dialogue, whether the replies were kept or not; the router's training data."""

    persona: str
    task: str
    messages: tuple[str, ...]


async def write_dialogues(
    config: TrainingConfig,
    world: TrainingPeople,
    *,
    model: ChatModel,
    rater: Rater,
    out: Path,
    seed: int,
    model_sha256: str | None = None,
    progress: StageProgress = silent,
) -> tuple[dict[str, DialogueFile], tuple[UserMessages, ...]]:
    """Write ``out/PATTERN.jsonl`` and ``out/counts.json``; return the files by pattern, and the users' messages.

    Raises:
        InputError: no training persona needs a wanted pattern.
        ModelError: no dialogue of some pattern is good enough to learn from; the message says what was wrong.
    """
    plans = {pattern: plan_dialogues(config, world, pattern, seed) for pattern in world.pattern_ids(config.patterns)}
    dialogues = await hold_dialogues(
        [plan for group in plans.values() for plan in group],
        model,
        rater,
        config.concurrency,
        lambda done, total: progress("writing dialogues", done, total),
    )
    by_id = {dialogue.plan.id: dialogue for dialogue in dialogues}
    files = {
        pattern: _export(config, world, [by_id[plan.id] for plan in group], out / f"{pattern}.jsonl", Origin(
            pattern=pattern,
            split_seed=world.split.seed,
            samples=config.samples,
            min_adherence=config.min_adherence,
            prompt_sha256=sha256(pattern_prompt(world.patterns[pattern])),
            model=ModelOrigin(id=model.id, sha256=model_sha256),
            rater=RaterOrigin(id=rater.identity.id, version=rater.identity.version),
        ))
        for pattern, group in plans.items()
    }  # fmt: skip
    counts = {pattern: asdict(file.counts) for pattern, file in files.items()}
    with drafted(out / "counts.json") as draft:
        draft.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    return files, user_messages(dialogues)


def plan_dialogues(config: TrainingConfig, world: TrainingPeople, pattern: str, seed: int) -> list[DialoguePlan]:
    """Plan ``dialogues_per_pattern`` dialogues: the learners in turn, each time with another seed."""
    learners = world.learners(pattern)
    standard = world.standard(world.patterns[pattern], config.min_adherence)
    plans = []
    for index in range(config.dialogues_per_pattern):
        persona, replicate = learners[index % len(learners)], index // len(learners)
        plans.append(
            DialoguePlan(
                id=f"{pattern}/{persona.id}/{replicate}",
                agent=world.agent_for(persona),
                standard=standard,
                seed=derive_seed(seed, "dialogue", pattern, persona.id, replicate),
                turns=config.turns,
                system=pattern_prompt(world.patterns[pattern]),
                samples=config.samples,
                sampling=Sampling(temperature=config.temperature, max_tokens=config.max_tokens),
            )
        )
    return plans


def user_messages(dialogues: Sequence[SteeredDialogue]) -> tuple[UserMessages, ...]:
    """Return what the users of ``dialogues`` said, where they said anything."""
    spoken = ((dialogue.plan.agent.persona, dialogue.turns) for dialogue in dialogues if dialogue.turns)
    return tuple(UserMessages(who.id, who.task, tuple(turn.user for turn in turns)) for who, turns in spoken)


def _export(
    config: TrainingConfig, world: TrainingPeople, dialogues: Sequence[SteeredDialogue], path: Path, origin: Origin
) -> DialogueFile:
    flaws = [[turn.flaws for turn in dialogue.turns] for dialogue in dialogues]
    counts = count_kept(flaws, config.min_turns, failed=sum(dialogue.error is not None for dialogue in dialogues))
    kept = [
        distil(dialogue, origin)
        for dialogue, dialogue_flaws in zip(dialogues, flaws, strict=True)
        if usable_turns(dialogue_flaws) >= config.min_turns
    ]
    if not kept:
        raise ModelError(_nothing_kept(config, origin, counts, dialogues))
    personas = {dialogue.persona for dialogue in kept}
    tested = personas & {persona.id for persona in world.split.test}
    if tested:
        raise AssertionError(f"personas held out for the test in the training dialogues: {sorted(tested)}")
    scores = [turn.adherence for dialogue in kept for turn in dialogue.turns]
    return DialogueFile(
        origin.pattern, path, write_lines(kept, path), tuple(sorted(personas)), counts, sum(scores) / len(scores)
    )


def _nothing_kept(
    config: TrainingConfig, origin: Origin, counts: KeptCounts, dialogues: Sequence[SteeredDialogue]
) -> str:
    errors = sorted({dialogue.error for dialogue in dialogues if dialogue.error})
    why = errors[0] if errors else ", ".join(f"{flaw} {n}" for flaw, n in counts.flaws.items())
    return (
        f"pattern {origin.pattern}: none of {counts.dialogues['held']} dialogues by {origin.model.id} had "
        f"{config.min_turns} usable turns ({why}). The model may not follow its system prompt: raise samples "
        f"(now {config.samples}), lower min_adherence (now {config.min_adherence}), or use another model"
    )
