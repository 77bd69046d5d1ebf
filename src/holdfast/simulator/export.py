"""Export transcripts as Parquet, JSON lines or a Hugging Face dataset: one row per turn, or per conversation.

Rows are streamed from the journal, so a run of any size fits into memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.felt.feelers import feelings, kind_of
from holdfast.agents.raters.protocol import FELT
from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord
from holdfast.simulator.row_files import RowWriter, columns_schema, jsonl_writer, parquet_writer

if TYPE_CHECKING:
    import pandas
    import pyarrow

Format = Literal["parquet", "jsonl", "datasets"]
Shape = Literal["turns", "conversations"]
_BATCH = 1000  # rows held in memory at once

_EPISODE = {
    "episode": ("string", "id of the conversation, unique in its study"),
    "candidate": ("string", "the assistant under test"),
    "persona": ("string", "id of the persona that talked"),
    "agent": ("string", "id of the user agent in the population; null without one"),
    "task": ("string", "task context"),
    "replicate": ("int64", "replicate of persona x candidate x length, from 1"),
    "max_turns": ("int32", "turns that were asked for"),
    "round": ("int32", "round of the population, from 0"),
    "error": ("string", "why the conversation failed; null where it did not"),
}
#: Columns of the shape "turns": name -> (Arrow type, meaning).
TURN_COLUMNS: dict[str, tuple[str, str]] = {
    **_EPISODE,
    "turn": ("int32", "number of the turn, from 1"),
    "user": ("string", "the user's message"),
    "reply": ("string", "the reply to it"),
    "said_kind": ("string", "open, feel, ask, tell, repeat, thank or close"),
    "said_feeling": ("string", "feeling that the message names, by the user's intention; null where none"),
    "said_topic": ("string", "topic that it names; null where none"),
    "said_need": ("string", "practical need that it names; null where none"),
    "said_goal": ("string", "id of the persona's goal that it asks about; null where none"),
    "goals_served": ("strings", "ids of the goals that the reply met"),
    **dict.fromkeys(
        MECHANISMS,
        ("double", "expressed empathy of the reply by the primary rater, 0-2; null if unrated or disqualified"),
    ),
    "levels": ("string", "ratings by the primary rater, whatever its scale, as a JSON object; null as those above"),
    "unrated": ("string", "why the primary rater gave no rating; null where it did"),
    "disqualified": ("string", "the failure that the gate saw in the reply, whose adherence is 0; null where none"),
    "witnesses": ("string", "ratings by the other raters, as a JSON object; null without any"),
    "felt": ("double", "felt empathy by the run's feeler, 1-5; null where it says nothing, and under the formula"),
    "feelers": ("string", "what each feeler said and thought, as a JSON object; null without any"),
    **{
        f"felt_{name}": ("double", "the user agent's own appraisal, SENSE-7, 1-5, by which it goes on")
        for name in SENSE7
    },
    "emotion": ("double", "the user's emotion after the reply, 0-100"),
    "adapter": ("string", "adapter that spoke; null for the bare base"),
    "recognised_task": ("string", "task that a router recognised; null without one"),
    "stop": ("string", "why the conversation ended here; null where it went on"),
    "prompt_tokens": ("int64", "tokens of the reply's prompts"),
    "completion_tokens": ("int64", "tokens of the reply, those of its thoughts too; 0 where the server does not say"),
    "calls": ("int32", "requests to models that the reply took, whose tokens are added up"),
    "outcome": ("string", "answered, cut, filtered, refusal, tool call, thoughts only, empty or unknown shape"),
    "thoughts": ("string", "what the candidate thought before it replied, heard and rated by nobody; null without any"),
    "kept": ("string", "what an application did beside the reply: tool calls, what it kept; null without any"),
}
#: Columns of the shape "conversations". ``messages`` is what chat trainers such as TRL read.
CONVERSATION_COLUMNS: dict[str, tuple[str, str]] = {
    **_EPISODE,
    "turns": ("int32", "finished turns"),
    "stop": ("string", "why it ended; null where it is not over"),
    "messages": ("messages", "list of {role, content}, user and assistant in turn"),
}


def export_columns(shape: Shape) -> dict[str, tuple[str, str]]:
    """Return name -> (type, meaning) of every column."""
    return TURN_COLUMNS if shape == "turns" else CONVERSATION_COLUMNS


def export(journal: Path, out: Path, to: Format, shape: Shape = "turns") -> int:
    """Write the transcripts of ``journal`` to ``out`` (a file; a folder for "datasets"), whole or not at all.

    Returns the number of rows.

    Raises:
        InputError: ``out`` exists already or cannot be written.
        JournalError: the journal cannot be read.
    """
    if out.exists():
        raise InputError(f"{out}: is there already; name another --out")
    with Journal.read(journal) as opened, _draft(out) as draft:
        records = rows(opened, shape)
        if to == "jsonl":
            return _written(records, draft, jsonl_writer, shape)
        if to == "parquet":
            return _written(records, draft, parquet_writer, shape)
        return _dataset(records, draft, shape)


def rows(journal: Journal, shape: Shape) -> Iterator[dict[str, Any]]:
    """Yield rows in the study's order, keys as in :func:`export_columns`."""
    for episode in journal.episodes(measured=shape == "conversations"):  # thoughts are whole otherwise
        about = {**_same_named(_EPISODE, episode.spec), "agent": episode.spec.agent or None, "error": episode.error}
        about["episode"] = episode.spec.id
        if shape == "conversations":
            yield {**about, **_conversation(episode)}
        else:
            yield from ({**about, **_turn(turn)} for turn in episode.turns)


def _same_named(columns: Iterable[str], record: EpisodeSpec | TurnRecord) -> dict[str, Any]:
    """Fill the columns that are called as a field of ``record``; the others are None."""
    return {name: getattr(record, name, None) for name in columns}


def _turn(turn: TurnRecord) -> dict[str, Any]:
    prompt, completion = turn.tokens
    return {
        **_same_named((name for name in TURN_COLUMNS if name not in _EPISODE), turn),
        **{f"said_{name}": getattr(turn.said, name) for name in ("kind", "feeling", "topic", "need", "goal")},
        "goals_served": list(turn.goals_served),
        **{name: turn.primary.counted.get(name) for name in MECHANISMS},
        "levels": json.dumps(dict(turn.primary.counted)) if turn.primary.counted else None,
        "unrated": turn.primary.missing,
        "disqualified": turn.primary.disqualified,
        "witnesses": _witnesses(turn),
        **_feelers(turn),
        **{f"felt_{name}": turn.felt.get(name) for name in SENSE7},
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "outcome": turn.outcome,
        "thoughts": turn.thoughts or None,
        "kept": turn.kept or None,
    }


def _witnesses(turn: TurnRecord) -> str | None:
    others = [(name, rating) for name, rating in list(turn.ratings.items())[1:] if kind_of(name) is None]
    ratings = {
        name: {"values": dict(rating.counted), "missing": rating.missing, "disqualified": rating.disqualified}
        for name, rating in others
    }
    return json.dumps(ratings, ensure_ascii=False) if ratings else None


def _feelers(turn: TurnRecord) -> dict[str, float | str | None]:
    said = feelings(turn.ratings)
    ratings = {
        kind: {"felt": rating.counted.get(FELT.dimensions[0]), "missing": rating.missing, "thought": rating.evidence}
        for kind, rating in said.items()
    }
    own = next(iter(ratings.values()), {"felt": None})["felt"]
    return {"felt": own, "feelers": json.dumps(ratings, ensure_ascii=False) if ratings else None}


def _conversation(episode: EpisodeRecord) -> dict[str, Any]:
    pairs = [(("user", turn.user), ("assistant", turn.reply)) for turn in episode.turns]
    return {
        "turns": len(episode.turns),
        "stop": episode.turns[-1].stop if episode.turns else None,
        "messages": [{"role": role, "content": text} for pair in pairs for role, text in pair],
    }


def _written(records: Iterator[dict[str, Any]], draft: Path, writer: RowWriter, shape: Shape) -> int:
    count = 0
    with writer(draft, export_columns(shape)) as write:
        while batch := list(islice(records, _BATCH)):
            write(batch)
            count += len(batch)
    return count


def _dataset(records: Iterator[dict[str, Any]], draft: Path, shape: Shape) -> int:
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        parquet = Path(scratch) / "rows.parquet"
        count = _written(records, parquet, parquet_writer, shape)
        Dataset.from_parquet(str(parquet), cache_dir=scratch).save_to_disk(str(draft))
    return count


def arrow_schema(shape: Shape) -> pyarrow.Schema:
    """Return the columns as an Arrow schema, each with its meaning in the field's metadata."""
    return columns_schema(export_columns(shape))


def turns_frame(journal: Path) -> pandas.DataFrame:
    """Return one row a turn with the columns of the shape "turns"; numbers that are unknown are NaN.

    Raises:
        InputError: There is no journal.
        JournalError: The journal cannot be read.
    """
    import pandas as pd

    with Journal.read(journal) as opened:
        frame = pd.DataFrame.from_records(list(rows(opened, "turns")), columns=list(TURN_COLUMNS))
    return frame.astype({name: "float64" for name, (kind, _) in TURN_COLUMNS.items() if kind == "double"})


@contextmanager
def _draft(out: Path) -> Iterator[Path]:
    """Yield a temporary path that is moved to ``out`` when the block succeeds."""
    try:
        with drafted(out) as draft:
            yield draft
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from error
