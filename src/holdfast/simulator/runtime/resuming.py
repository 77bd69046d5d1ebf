"""Whether a run may go on in its folder: it was begun, and its experts were trained, for the same study.

What can be told without a model is told before any is loaded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.adapters.experts import altered_since_training, trained_record
from holdfast.adapters.inputs import study_inputs, training_inputs
from holdfast.core.errors import TakenError
from holdfast.simulator.config.plan import Plan, differences, world_inputs
from holdfast.simulator.journal.file import SCHEMA_VERSION
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.runtime.adapters import trained_in, training_people, unused_inputs
from holdfast.simulator.runtime.resources import Resources

CHANGE_BACK = "Change it back, or choose another --out"
_MOST_SHOWN = 8  # of what has changed


def check_resumed(plan: Plan, out: Path) -> None:
    """Refuse a study that is surely another than that of the journal or the training in ``out``; loads no model.

    Raises:
        TakenError: it is, or a file that was trained is not as training left it.
        JournalError: the journal or the record of the training cannot be read.
    """
    path = out / JOURNAL
    if os.path.lexists(path):
        with Journal.read(path) as journal:
            kept = journal.meta()
            recorded = json.loads(kept["inputs"])
            known = {name: value for name, value in world_inputs(plan).items() if name in recorded}
            kept["inputs"] = json.dumps({name: recorded[name] for name in known})
            require_same_study(plan, journal, kept, known)
    config, record = plan.study.training, trained_record(out)
    if config is not None and record is not None:
        now, inputs = study_inputs(config, training_people(plan), plan.study.seed), record.get("inputs")
        before = {name: value for name, value in inputs.items() if name in now} if isinstance(inputs, dict) else now
        _require_same_training(out, before, now, altered_since_training(record, out))


def require_same_study(plan: Plan, journal: Journal, kept: Mapping[str, str], inputs: Mapping[str, str]) -> None:
    """Compare a study and its inputs with those of a journal.

    Args:
        plan: The study as it is now.
        journal: The journal, open to read.
        kept: Its metadata. Where they say no version of their inputs, only those that they have are compared.
        inputs: What the transcripts follow from besides the study, as it is now.

    Raises:
        TakenError: something has changed.
    """
    recorded, now = json.loads(kept["inputs"]), dict(inputs)
    unused = unused_inputs(plan, recorded)
    before = {name: value for name, value in recorded.items() if name not in unused}
    if "inputs_version" not in kept:
        now = {name: value for name, value in now.items() if name in recorded}
    changed = differences(kept["study"], plan.fingerprint) + differences(json.dumps(before), json.dumps(now))
    way = CHANGE_BACK
    if journal.version < SCHEMA_VERSION:
        way = (
            f"The journal is of an older holdfast (version {journal.version}, this one writes {SCHEMA_VERSION}), whose "
            "own personas, raters and defaults may differ. Go on with that one, or hold the study anew in another "
            f"--out; holdfast report {journal.path.parent} measures what is there"
        )
    _refuse(f"{journal.path}: cannot resume, the study has changed", changed, way)


def is_trained(resources: Resources, out: Path) -> bool:
    """Whether the study's adapters lie in ``out``, trained to the end.

    Raises:
        TakenError: they were trained for another study or base.
    """
    record = trained_record(out)
    if record is None:
        return False
    now = training_inputs(*resources.training, resources.plan.study.seed)
    _require_same_training(out, record.get("inputs", now), now)  # older trainings do not say what they followed from
    return True


def _require_same_training(out: Path, before: object, now: object, altered: Sequence[str] = ()) -> None:
    changed = [*differences(json.dumps(before), json.dumps(now)), *altered]
    _refuse(f"{trained_in(out)}: cannot resume, what was trained here belongs to another study", changed)


def _refuse(what: str, changed: Sequence[str], way: str = CHANGE_BACK) -> None:
    if changed:
        lines = _few(changed)
        more = [f"and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
        shown = "".join(f"\n  {line}" for line in [*lines[:_MOST_SHOWN], *more])
        raise TakenError(f"{what}:{shown}\n{way}")


def _few(changed: Sequence[str]) -> list[str]:
    """Return the lines; where they are too many to show, those of one persona or candidate as one."""
    groups: dict[str, list[str]] = {}
    for line in changed:
        key = ".".join(line.partition(": ")[0].split(".")[:2]) if len(changed) > _MOST_SHOWN else line
        groups.setdefault(key, []).append(line)
    return [
        lines[0] if len(lines) == 1 else f"{key}: {len(lines):,} values, the first {lines[0].removeprefix(key + '.')}"
        for key, lines in groups.items()
    ]
