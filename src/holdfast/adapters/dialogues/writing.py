"""The synthetic pipeline of Shayegani et al. (2025, arXiv 2511.03143): steer, filter, split, export, for every pattern.

Only training personas take part; their user agents speak as in a study. A pattern meets the personas of every task
that asks for it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.drafts import Drafts, hold_dialogues
from holdfast.adapters.dialogues.export import ModelOrigin, Origin, RaterOrigin, distil
from holdfast.adapters.dialogues.filtering import Flaw, KeptCounts, Standard, count_kept, usable_turns
from holdfast.adapters.dialogues.prompting import LATE, SteeringPlaces, steering_prompt, steering_sha256
from holdfast.adapters.dialogues.rejected import LEAST_MARGIN, kept_against_discarded, pairs_file
from holdfast.adapters.dialogues.split import Split, kept_from_training
from holdfast.adapters.dialogues.steering import DialoguePlan, SteeredDialogue
from holdfast.adapters.dialogues.yields import discarded, first_tenth, is_hopeless
from holdfast.adapters.progress import StageProgress, silent
from holdfast.agents.protocols import ChatModel, Sampling
from holdfast.agents.raters.protocol import Rater
from holdfast.agents.users.protocol import UserAgent
from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError, ModelError
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

    def learners(self, pattern: str, held_out_share: float = 0.0) -> tuple[Persona, ...]:
        """Return the training personas whose task asks for ``pattern``, without their feelings that are held out.

        A persona whose feelings are all held out does not take part.
        """
        asking = (persona for persona in self.split.train if self.tasks[persona.task].pattern == pattern)
        kept = ((persona, self._kept_feelings(persona, held_out_share)) for persona in asking)
        return tuple(persona.model_copy(update={"feelings": feelings}) for persona, feelings in kept if feelings)

    def _kept_feelings(self, persona: Persona, held_out_share: float) -> tuple[str, ...]:
        seed = self.split.seed
        return tuple(each for each in persona.feelings if not kept_from_training("feeling", each, seed, held_out_share))

    def standard(self, pattern: EmpathyPattern, config: TrainingConfig, own_words: bool = True) -> Standard:
        """Return the standard that replies must meet; ``own_words``: see :class:`Standard`.

        It knows the feelings and topics of all personas and tasks, to detect a reply that names one the user did not.
        """
        everyone = (*self.split.train, *self.split.test)
        topics = {topic for persona in everyone for topic in persona.topics}
        topics |= {goal.topic for persona in everyone for goal in persona.goals}
        topics |= {topic for task in self.tasks.values() for topic in task.topics}
        feelings = {feeling for persona in everyone for feeling in persona.feelings}
        return Standard(
            pattern.expressed,
            config.min_adherence,
            frozenset(feelings),
            frozenset(topics),
            own_words,
            held_out_share=config.held_out_share,
            split_seed=self.split.seed,
        )


@dataclass(frozen=True, slots=True)
class Writer:
    """The model that writes dialogues, and where a prompt may stand among its messages.

    ``sha256``: of its weights; None where they are not of this machine. ``own_words``: see
    :class:`holdfast.adapters.dialogues.filtering.Standard`; the embedded model has none.
    """

    model: ChatModel
    places: SteeringPlaces = LATE
    sha256: str | None = None
    own_words: bool = True


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
    writer: Writer,
    rater: Rater,
    *,
    out: Path,
    seed: int,
    drafts: Drafts | None = None,
    progress: StageProgress = silent,
) -> tuple[dict[str, DialogueFile], tuple[UserMessages, ...]]:
    """Write ``out/PATTERN.jsonl`` and ``out/counts.json``; return the files by pattern, and the users' messages.

    ``drafts``: where finished dialogues are kept at once, and what is there already is taken from.

    Raises:
        InputError: no training persona needs a wanted pattern, or one that is to be shown by examples has none.
        ModelError: no dialogue of some pattern is good enough to learn from, or after a tenth of them not one reply;
            the message shows what was wrong.
        JournalError: a draft cannot be written.
    """
    wanted = world.pattern_ids(config.patterns)
    plans = {
        pattern: plan_dialogues(config, world, pattern, seed, writer.places, writer.own_words) for pattern in wanted
    }
    dialogues = await _draft(config, plans, writer, rater, drafts, progress)
    files = {
        pattern: _export(config, world, dialogues[pattern], out / f"{pattern}.jsonl", Origin(
            pattern=pattern,
            split_seed=world.split.seed,
            samples=config.samples,
            min_adherence=config.min_adherence,
            held_out_share=config.held_out_share,
            prompt_sha256=steering_sha256(world.patterns[pattern], writer.places),
            model=ModelOrigin(id=writer.model.id, sha256=writer.sha256),
            rater=RaterOrigin(id=rater.identity.id, version=rater.identity.version),
        ))
        for pattern in wanted
    }  # fmt: skip
    counts = {pattern: asdict(file.counts) for pattern, file in files.items()}
    with drafted(out / "counts.json") as draft:
        draft.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    return files, user_messages([dialogue for group in dialogues.values() for dialogue in group])


async def _draft(
    config: TrainingConfig,
    plans: Mapping[str, Sequence[DialoguePlan]],
    writer: Writer,
    rater: Rater,
    drafts: Drafts | None,
    progress: StageProgress,
) -> dict[str, list[SteeredDialogue]]:
    """Hold all dialogues, the first tenth of each pattern before the rest: where it is of no use, the rest is not held.

    Raises:
        ModelError: see :func:`write_dialogues`.
    """
    planned = [plan for group in plans.values() for plan in group]
    stage, turns, done = f"writing {len(planned)} dialogues turn by turn", len(planned) * config.turns, 0

    async def hold(chosen: Sequence[DialoguePlan]) -> dict[str, SteeredDialogue]:
        def report(now: int, _: int) -> None:
            progress(stage, done + now, turns)

        dialogues = await hold_dialogues(chosen, writer.model, rater, config.concurrency, report, drafts)
        return {dialogue.plan.id: dialogue for dialogue in dialogues}

    by_id = await hold(first_tenth(plans))
    for pattern, group in plans.items():
        begun = [by_id[plan.id] for plan in group if plan.id in by_id]
        if is_hopeless(begun):
            raise ModelError(discarded(config, pattern, writer.model.id, begun, len(group)))
    done = len(by_id) * config.turns
    by_id |= await hold([plan for plan in planned if plan.id not in by_id])
    return {pattern: [by_id[plan.id] for plan in group] for pattern, group in plans.items()}


def plan_dialogues(
    config: TrainingConfig,
    world: TrainingPeople,
    pattern: str,
    seed: int,
    places: SteeringPlaces = LATE,
    own_words: bool = True,
) -> list[DialoguePlan]:
    """Plan ``dialogues_per_pattern`` dialogues: the learners in turn, each time with another seed.

    Raises:
        InputError: examples are to be shown, and the pattern has none; ``held_out_share`` leaves no feeling to anybody.
    """
    learners = world.learners(pattern, config.held_out_share)
    if not learners:
        raise InputError(
            f"pattern {pattern}: every feeling of its personas is held out; lower held_out_share under 'training' (now "
            f"{config.held_out_share}), or train with more personas"
        )
    standard = world.standard(world.patterns[pattern], config, own_words)
    plans = []
    for index in range(config.dialogues_per_pattern):
        persona, replicate = learners[index % len(learners)], index // len(learners)
        own = derive_seed(seed, "dialogue", pattern, persona.id, replicate)
        plans.append(
            DialoguePlan(
                id=f"{pattern}/{persona.id}/{replicate}",
                agent=world.agent_for(persona),
                standard=standard,
                seed=own,
                turns=config.turns,
                steering=steering_prompt(world.patterns[pattern], places, derive_seed(own, "examples")),
                samples=config.samples,
                retries=config.retries if own_words else 0,
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
    failed = sum(dialogue.error is not None for dialogue in dialogues)
    counts = count_kept(flaws, config.min_turns, failed, _drawn(dialogues))
    kept = [
        distil(dialogue, origin)
        for dialogue, dialogue_flaws in zip(dialogues, flaws, strict=True)
        if usable_turns(dialogue_flaws) >= config.min_turns
    ]
    if not kept:
        raise ModelError(discarded(config, origin.pattern, origin.model.id, dialogues, len(dialogues)))
    if config.method == "dpo":
        _write_pairs(dialogues, flaws, config, path, f"adherence by {origin.rater.id} {origin.rater.version}")
    personas = {dialogue.persona for dialogue in kept}
    tested = personas & {persona.id for persona in world.split.test}
    if tested:
        raise AssertionError(f"personas held out for the test in the training dialogues: {sorted(tested)}")
    scores = [turn.adherence for dialogue in kept for turn in dialogue.turns]
    return DialogueFile(
        origin.pattern, path, write_lines(kept, path), tuple(sorted(personas)), counts, sum(scores) / len(scores)
    )


def _write_pairs(
    dialogues: Sequence[SteeredDialogue],
    flaws: Sequence[Sequence[tuple[Flaw, ...]]],
    config: TrainingConfig,
    path: Path,
    source: str,
) -> None:
    """Write the pairs of the dialogues that are kept, beside their file.

    Raises:
        ModelError: there is none.
    """
    kept = [dialogue for dialogue, own in zip(dialogues, flaws, strict=True) if usable_turns(own) >= config.min_turns]
    pairs = [pair for dialogue in kept for pair in kept_against_discarded(dialogue, source)]
    if not pairs:
        raise ModelError(
            f"pattern {path.stem}: no discarded reply lies {LEAST_MARGIN} of adherence or more below the kept one, so "
            f"there is nothing to prefer by DPO: draw more samples (now {config.samples}), or write method: sft"
        )
    write_lines(pairs, pairs_file(path))


def _drawn(dialogues: Sequence[SteeredDialogue]) -> dict[str, int]:
    """Count what was drawn: replies, and the tokens of their prompts (examples among them) and of themselves."""
    samples = [sample for dialogue in dialogues for turn in dialogue.turns for sample in turn.samples]
    prompt, written = (sum(sample.tokens[part] for sample in samples) for part in (0, 1))
    return {"replies": len(samples), "prompt_tokens": prompt, "completion_tokens": written}
