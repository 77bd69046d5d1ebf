"""Preference pairs of a drafted dialogue: the reply that was kept against one that was discarded, for DPO."""

from collections.abc import Iterator
from pathlib import Path

from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.dialogues.filtering import usable_turns
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.adapters.dialogues.steering import DrawnReply, SteeredDialogue, SteeredTurn

LEAST_MARGIN = 0.05  # of adherence between the two: holdfast's assumption


def pairs_file(dialogues: Path) -> Path:
    """Return where the pairs of a file of training dialogues lie."""
    return dialogues.parent / "pairs" / dialogues.name


def kept_against_discarded(dialogue: SteeredDialogue, source: str) -> Iterator[PreferencePair]:
    """Yield a pair for each usable turn whose least adherent sample lies far enough below the kept reply.

    ``source``: who preferred, with its version. What the gate stopped has adherence 0, so it is discarded first.
    """
    persona, lines = dialogue.plan.agent.persona, list[ChatLine]()
    for turn in dialogue.turns[: usable_turns([turn.flaws for turn in dialogue.turns])]:
        lines.append(ChatLine(role="user", content=turn.user))
        rejected = _least_adherent(turn)
        if rejected is not None:
            yield PreferencePair(
                prompt=tuple(lines),
                chosen=(ChatLine(role="assistant", content=turn.reply),),
                rejected=(ChatLine(role="assistant", content=rejected.reply),),
                persona=persona.id,
                task=persona.task,
                margin=round(turn.adherence - rejected.adherence, 4),
                source=source,
            )
        lines.append(ChatLine(role="assistant", content=turn.reply))


def _least_adherent(turn: SteeredTurn) -> DrawnReply | None:
    """Return the worst of the discarded replies with words; None where none lies below the kept one by the margin."""
    highest = turn.adherence - LEAST_MARGIN
    worse = [sample for sample in turn.samples if sample.reply.strip() and sample.adherence <= highest]
    return min(worse, key=lambda sample: sample.adherence, default=None)
