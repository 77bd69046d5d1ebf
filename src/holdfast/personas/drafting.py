"""A new persona's file: commented YAML from what is known of somebody, with the rest taken from the task and marked."""

import json
import re
import textwrap
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.yaml_source import parse_yaml
from holdfast.personas.checks import languages
from holdfast.personas.loading import persona_check, validate_source
from holdfast.personas.schema import NAME_LENGTH, Persona, TaskContext

_PLAIN = re.compile(r"[^\W\d_][\w '-]*(?<! )")
_WORDS_OF_YAML = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_WIDTH, _COLUMN = 110, 26
_GOALS, _TOPICS = 3, 5  # that are taken from a task
_FEELINGS = ("unsure",)
#: What stands behind a value that nobody gave.
DEFAULT = "a default: change it"


@dataclass(frozen=True)
class PersonaDraft:
    """What is known of a new persona; None and empty where nothing is.

    ``goals``: verb phrase and noun phrase of each. ``notes``: comments at the file's beginning.
    """

    name: str
    id: str | None = None
    task: str | None = None
    background: str | None = None
    speech: str | None = None
    language: str | None = None
    desired_empathy: int | None = None
    patience: int | None = None
    feelings: Sequence[str] = ()
    topics: Sequence[str] = ()
    goals: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


#: Whose default is said in the file: everything but what follows from a name.
TASK = "plan_project"
LEVELS: Mapping[str, Any] = {"speech": "plain", "language": "en", "desired_empathy": 2, "patience": 6}


def defaults_of(draft: PersonaDraft) -> list[str]:
    """Return the keys of which the draft says nothing, so that the file has a default."""
    keys = ("task", "background", "goals", "feelings", "topics", *LEVELS)
    return [key for key in keys if getattr(draft, key) in (None, ()) or getattr(draft, key) == []]


def persona_id_of(name: str) -> str:
    """Return an id made of a name: ``"Zoë O'Neil"`` is ``zoe_o_neil``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return (words if words[:1].isalpha() else f"person_{words}".rstrip("_"))[:60]


def draft_yaml(draft: PersonaDraft, tasks: Mapping[str, TaskContext]) -> str:
    """Return the commented YAML of a draft, whatever it holds: :func:`check_draft` says whether it is a persona."""
    default = dict.fromkeys(defaults_of(draft), DEFAULT)
    task_id = draft.task or TASK
    task = tasks.get(task_id) or next(iter(tasks.values()))
    level = {key: value if getattr(draft, key) is None else getattr(draft, key) for key, value in LEVELS.items()}
    of_task = (
        "of the task: change them" if draft.language in (None, "en") else "of the task, in English: translate them"
    )
    wishes = "1 little, 2 some, 3 much"
    of_topics = "of the goals: add more" if draft.goals else of_task
    topics = draft.topics or ([topic for _, topic in draft.goals] or task.topics)[:_TOPICS]
    background = draft.background or f"Write here who {draft.name} is and what brings them here, in a few sentences."
    lines = [
        "# A persona: who a simulated user is. Edit this file, then: holdfast persona talk FILE",
        *(f"# {line}" for note in draft.notes for line in textwrap.wrap(note, _WIDTH, break_on_hyphens=False)),
        "",
        _line("id", draft.id or persona_id_of(draft.name), "names the person in studies and results"),
        _line("name", draft.name),
        _line("task", task_id, default.get("task", task.title)),
        _remarked("background: >-", default.get("background", "who they are, and what brings them here")),
        *textwrap.wrap(
            " ".join(background.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ",
            break_long_words=False, break_on_hyphens=False,
        ),
        "",
        _line("speech", level["speech"], _choice("plain, warm, terse or chatty", default, "speech")),
        _line("language", level["language"], _choice(" or ".join(languages()), default, "language")),
        "",
        _remarked("goals:", of_task if "goals" in default else "what they want to get done, step by step"),
        *_goals(draft.goals or list(zip(task.needs, task.topics, strict=False))[:_GOALS]),
        "",
        *_list("feelings", draft.feelings or _FEELINGS, default.get("feelings", 'adjectives: "I feel …"')),
        *_list("topics", topics, of_topics if "topics" in default else "what they bring up as the talk goes on"),
        "",
        _line("desired_empathy", level["desired_empathy"], _choice(wishes, default, "desired_empathy")),
        _line("patience", level["patience"], _choice("poor replies in a row before they leave", default, "patience")),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def check_draft(text: str, name: str, task_ids: Collection[str]) -> Persona:
    """Return what a reader makes of a draft's text.

    Raises:
        InputError: It is no persona; its faults name the keys, not the lines, which nobody has seen.
    """
    try:
        return validate_source(
            parse_yaml(text.encode("utf-8", "surrogatepass"), name), Persona, [persona_check(task_ids)]
        )
    except InputError as error:
        raise InputError([Fault(name, f"not written: {fault.message}") for fault in error.faults]) from None


def shortened_name(name: str) -> str:
    """Return a name that is not too long, cut between words where it was."""
    return textwrap.shorten(name, NAME_LENGTH, placeholder="") or name[:NAME_LENGTH]


def _choice(allowed: str, default: Mapping[str, str], key: str) -> str:
    return f"{allowed} ({DEFAULT})" if key in default else allowed


def _line(key: str, value: object, comment: str = "") -> str:
    return _remarked(f"{key}: {_scalar(value)}", comment) if comment else f"{key}: {_scalar(value)}"


def _remarked(line: str, comment: str) -> str:
    return f"{line:<{_COLUMN}} # {' '.join(comment.split())}"


def _list(key: str, items: Sequence[str], comment: str) -> list[str]:
    return [_remarked(f"{key}:", comment), *(f"  - {_scalar(item)}" for item in items)]


def _goals(goals: Sequence[tuple[str, str]]) -> list[str]:
    lines, taken = list[str](), set[str]()
    for number, (need, topic) in enumerate(goals, start=1):
        first = persona_id_of(need).split("_")[0]
        name = first if first not in taken else f"{first}_{number}"
        taken.add(name)
        lines += [f"  - id: {_scalar(name)}", f"    need: {_scalar(need)}", f"    topic: {_scalar(topic)}"]
    return lines


def _scalar(value: object) -> str:
    """Return a value as YAML 1.2 reads it back: plain where that is sure, else in quotes."""
    if not isinstance(value, str):
        return str(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML
    return value if plain else json.dumps(value, ensure_ascii=False)
