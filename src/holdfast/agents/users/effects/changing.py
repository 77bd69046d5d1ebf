"""The single fields of a persona, and the same persona with another valid value in one of them."""

import copy
from collections.abc import Collection, Iterator
from typing import Any

from holdfast.core.yaml_source import DataPath
from holdfast.personas.schema import Persona

#: Words that no persona has, so that a change cannot leave things as they were.
_TEXTS = ("Well, a zebra swims past the lighthouse.", "There, an otter juggles with seven lanterns.")
_WORDS = ("zebra lighthouse", "otter lanterns")
_FEELINGS = ("puzzled", "wistful")
_REACTIONS = ("met", "missed", "advised", "questioned", "repeated", "thanks", "goodbyes")
_UTTERED = frozenset(("feeling", "practical", "says", "contests", "layers", *_REACTIONS))
_WHOLE = frozenset(("after", "people", "tried", "never"))  # lists whose items do the same


def fields_of(persona: Persona) -> Iterator[DataPath]:
    """Yield the path of each field that a persona's file can give: every scalar, and lists in :data:`_WHOLE` as one."""
    yield from _leaves(persona.model_dump(mode="json", exclude_none=True), ())


def _leaves(value: object, path: DataPath) -> Iterator[DataPath]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and path[-1] not in _WHOLE:
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path


def changed(persona: Persona, path: DataPath, tasks: Collection[str], languages: Collection[str]) -> Iterator[Persona]:
    """Yield the persona with other valid values at ``path``, and nothing else changed that this does not ask for.

    A goal's id is renamed wherever it stands. Nothing comes where no other value is valid.
    """
    data = persona.model_dump(mode="json", exclude_none=True)
    for value in _others(data, path, tasks, languages):
        again = copy.deepcopy(data)
        if path[0] == "goals" and path[-1] == "id":
            _rename(again, _at(data, path), value)
        else:
            _at(again, path[:-1])[path[-1]] = value
        yield Persona.model_validate(again)


def _at(data: Any, path: DataPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _others(data: dict[str, Any], path: DataPath, tasks: Collection[str], languages: Collection[str]) -> Iterator[Any]:
    now, key = _at(data, path), next(part for part in reversed(path) if isinstance(part, str))
    if key == "after":
        yield from _other_order(data, path, now)
        return
    choices: dict[str, Collection[Any]] = {
        "id": (f"{str(now)[:50]}_zebra",),
        "task": tasks,
        "speech": ("terse", "plain", "warm", "chatty"),
        "language": languages,
        "desired_empathy": (1, 3, 2),
        "patience": (1, 3, 50),
        "name": ("Zebra Lighthouse",),
        "background": _TEXTS,
        "happened": _TEXTS,
        "need": ("feed the zebra", "catch the otter"),
        "topic": ("the zebra", "the otter"),
        "topics": ("the zebra", "the otter"),
        "feelings": _FEELINGS,
        "people": ([_WORDS[0]],),
        "tried": ([_TEXTS[0]],),
        "never": ([_WORDS[0]],),
    }
    shares = path[0] == "temperament"
    known = (0.0, 1.0) if shares else choices.get(key, _TEXTS if key in _UTTERED or "goals" in path else _WORDS)
    yield from (value for value in known if value != now)


def _other_order(data: dict[str, Any], path: DataPath, now: list[str]) -> Iterator[list[str]]:
    """Yield other lists of goals that come first: none, or one that does not wait for this goal itself."""
    if now:
        yield []
        return
    goals = {goal["id"]: goal["after"] for goal in data["goals"]}
    own = data["goals"][path[1]]["id"]
    waiting = {own}
    for _ in goals:
        waiting |= {id for id, after in goals.items() if waiting.intersection(after)}
    yield from ([id] for id in goals if id not in waiting)


def _rename(data: dict[str, Any], old: str, new: str) -> None:
    for goal in data["goals"]:
        goal["id"] = new if goal["id"] == old else goal["id"]
        goal["after"] = [new if id == old else id for id in goal["after"]]
    if "story" in data:
        data["story"]["goals"] = {new if id == old else id: words for id, words in data["story"]["goals"].items()}
