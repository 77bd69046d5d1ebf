"""Split the personas into training and test sets, so that no tested persona was seen in training."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.errors import Fault, InputError
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona


@dataclass(frozen=True, slots=True)
class Split:
    """Disjoint sets of personas, each with at least one persona of every task, ordered by id."""

    train: tuple[Persona, ...]
    test: tuple[Persona, ...]
    seed: int

    def __post_init__(self) -> None:
        both = {persona.id for persona in self.train} & {persona.id for persona in self.test}
        if both:
            raise ValueError(f"personas on both sides of the split: {', '.join(sorted(both))}")


def split_personas(personas: Iterable[Persona], seed: int, held_out_per_task: int = 1) -> Split:
    """Hold out ``held_out_per_task`` personas of each task for the test.

    Which ones depends on the seed, the task and the ids of its personas alone: neither the order of ``personas`` nor
    the personas of another task change it.

    Raises:
        InputError: a task has too few personas to train on one and to test on another, or two personas share an id.
    """
    by_task: dict[str, list[Persona]] = defaultdict(list)
    seen: set[str] = set()
    faults: list[Fault] = []
    for persona in personas:
        if persona.id in seen:
            faults.append(Fault(f"persona {persona.id}", "given twice; ids must be unique"))
        seen.add(persona.id)
        by_task[persona.task].append(persona)
    train: list[Persona] = []
    test: list[Persona] = []
    for task, members in sorted(by_task.items()):
        if len(members) <= held_out_per_task:
            faults.append(_too_few(task, members, held_out_per_task))
        drawn = sorted(members, key=lambda persona: derive_seed(seed, "split", task, persona.id))
        test += drawn[:held_out_per_task]
        train += drawn[held_out_per_task:]
    if faults:
        raise InputError(faults)
    return Split(_by_id(train), _by_id(test), seed)


def kept_from_training(kind: str, what: str, seed: int, share: float) -> bool:
    """Return whether ``what`` is among the ``share`` of its kind that stays out of training, by a stable hash."""
    return derive_seed(seed, "held out", kind, what) < share * 2**63


def _by_id(personas: list[Persona]) -> tuple[Persona, ...]:
    return tuple(sorted(personas, key=lambda persona: persona.id))


def _too_few(task: str, members: list[Persona], held_out: int) -> Fault:
    ids = ", ".join(sorted(persona.id for persona in members))
    return Fault(
        f"task {task}",
        f"has {len(members)} persona(s) ({ids}), and training needs {held_out + 1} or more: {held_out} held out "
        "for the test and at least one to train on. Add a persona of this task, or leave the task out",
    )
