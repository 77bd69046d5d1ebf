"""A rater against every labelled set that its scales fit: one section a set, for a page, a table or JSON."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.raters.dialogue.rater import FittedRater
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.protocol import Rater
from holdfast.core.errors import DataError
from holdfast.core.reading.tables import table_beside
from holdfast.simulator.validation import agreement, chats, judged, perceived
from holdfast.simulator.validation.scoring import Scored, score, score_unseen

OnSet = Callable[[str], None]
#: Set -> (its rater's scale, where it lies).
SETS: Mapping[str, tuple[str, Path]] = {
    "epitome": ("expressed", Path(judged.FOLDER)),
    "ieval": ("perceived", chats.IEVAL),
    "lend_an_ear": ("acts", Path(judged.FOLDER)),
    "esconv": ("perceived", chats.ESCONV),
    "ieval_felt": ("felt", chats.IEVAL),
    "esconv_felt": ("felt", chats.ESCONV),
}
_CHATS: Mapping[str, Callable[[Path], chats.LabelledChats]] = {
    "ieval": chats.read_ieval,
    "esconv": chats.read_esconv,
    "ieval_felt": lambda data: chats.read_ieval(data).overall(),
    "esconv_felt": lambda data: chats.read_esconv(data).overall(),
}
_JUDGED = {set.dataset: set for set in (judged.EPITOME, judged.LEND_AN_EAR)}


async def validate(
    raters: Mapping[str, Rater], data: Path, *, draws: int = 1000, seed: int = 0, on_set: OnSet = lambda _set: None
) -> dict[str, Any]:
    """What every set says, ready for JSON but for nan.

    ``raters``: scale id -> rater. Keys: a set's name -> its agreement; ``beside``, ``ceilings``, ``mean_kappa`` -> more
    of the judged sets; ``raters``: scale -> who; ``how``: set -> how scores came about; ``skipped``: set -> why;
    ``notes``. Raises :class:`DataError` where a set is malformed, or none can be used.
    """
    results: dict[str, Any] = {"beside": {}, "ceilings": {}, "mean_kappa": {}, "how": {}, "skipped": {}, "notes": {}}
    for name, (scale, place) in SETS.items():
        if scale not in raters:
            results["skipped"][name] = f"the rater does not score the scale {scale!r}"
        elif not table_beside(data / place).exists():
            results["skipped"][name] = f"{data / place}: not there"
        else:
            on_set(name)
            section = _chats if name in _CHATS else _judged
            try:
                await section(results, name, raters[scale], data, draws, seed)
            except judged.NoTextError:
                results["skipped"][name] = f"there is no text of {name!r} in these data"
    if not results["how"]:
        raise DataError("; ".join(f"{name}: {why}" for name, why in results["skipped"].items()))
    used = {scale: raters[scale].identity for name, (scale, _) in SETS.items() if name in results["how"]}
    results["raters"] = {scale: {"id": identity.id, "version": identity.version} for scale, identity in used.items()}
    return results


async def _judged(results: dict[str, Any], name: str, rater: Rater, data: Path, draws: int, seed: int) -> None:
    texts = judged.read_judged(data, _JUDGED[name])
    scored = await score(rater, texts.labelled, seed)
    kept = np.flatnonzero(~scored.seen)  # everybody is held against the same texts
    texts, values = texts.rows(kept), scored.values[kept]
    results[name] = agreement.agreement_table(texts, values, rater.identity.id, draws=draws, seed=seed)
    results["beside"][name] = agreement.beside_table(texts, values)
    results["ceilings"][name] = agreement.ceilings(texts)
    results["mean_kappa"][name] = agreement.mean_kappa(results[name])
    results["how"][name] = _how(scored)
    results["notes"]["judged sets"] = agreement.NOTES


async def _chats(results: dict[str, Any], name: str, rater: Rater, data: Path, draws: int, seed: int) -> None:
    talks = _CHATS[name](data)
    scored = await score(rater, talks.labelled, seed)
    results[name] = perceived.chats_table(talks, scored.values, draws=draws, seed=seed)
    results["how"][name] = _how(scored)
    results["notes"]["perceived empathy"] = perceived.NOTES
    if name == "ieval":
        results["ceilings"][name] = perceived.ceiling(talks.labelled.labels)
    if isinstance(rater, FittedRater | PeopleFeeler) and scored.how != "as it is":
        rest, unseen = await score_unseen(rater, talks.labelled)
        if unseen.passages:
            kept = talks.rows(np.flatnonzero(~rater.saw(talks.labelled)))
            results[f"{name}_unseen"] = perceived.chats_table(kept, rest.values, draws=draws, seed=seed)
            results["how"][f"{name}_unseen"] = _how(rest)


def _how(scored: Scored) -> dict[str, Any]:
    return {"weights": scored.how, "left_out_as_seen": int(scored.seen.sum()), "missing": scored.missing}
