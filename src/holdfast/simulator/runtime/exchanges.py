"""Exchanges that candidates may take as exemplars: those of a study's training dialogues; and who is tested."""

from collections.abc import Iterable
from pathlib import Path

from holdfast.adapters.dialogues.export import TrainingDialogue, TurnOrigin, read_jsonl
from holdfast.adapters.experts import DIALOGUES
from holdfast.agents.assistants.exchange_store import StoredExchange
from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.personas.schema import MECHANISMS, MechanismLevels
from holdfast.simulator.config.plan import Plan


def people_tested(plan: Plan) -> frozenset[str]:
    """Return the ids and the names of the people that are tested."""
    return frozenset(name for person in plan.personas.values() for name in (person.id, person.name))


def training_exchanges(plan: Plan, adapters: Path | str | None) -> tuple[StoredExchange, ...]:
    """Return the exchanges of the dialogues beside the folder ``adapters``, by pattern, in the order of the files.

    Nothing is read unless a candidate needs it. Raises InputError where a file of dialogues is damaged.
    """
    if adapters is None or not any(spec.needs_dialogues for spec in plan.study.candidates):
        return ()
    files = (Path(adapters).parent / DIALOGUES / f"{pattern}.jsonl" for pattern in sorted(plan.patterns))
    return tuple(exchange for file in files if file.exists() for each in read_jsonl(file) for exchange in _of(each))


def _of(dialogue: TrainingDialogue) -> Iterable[StoredExchange]:
    said = [message.content for message in dialogue.messages]
    levels = {turn.turn: _levels(turn) for turn in dialogue.turns}
    for number, (situation, reply) in enumerate(zip(said[::2], said[1::2], strict=True), start=1):
        if situation.strip() and reply.strip():
            yield StoredExchange.model_construct(
                situation=situation, reply=reply, levels=levels.get(number), persona=dialogue.persona
            )


def _levels(turn: TurnOrigin) -> MechanismLevels | None:
    """Return the rated levels of a reply; None where one is unknown, or off the scale in a file written by hand."""
    rated = {name: turn.expressed[name] for name in MECHANISMS if 0 <= turn.expressed.get(name, -1) <= EXPRESSED.high}
    return MechanismLevels.model_validate(rated) if len(rated) == len(MECHANISMS) else None
