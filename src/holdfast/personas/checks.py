"""Checks that a schema cannot express: known tasks and patterns, and goals without circular dependencies.

They read the plain data, not the model, so that their faults are reported together with those of the types.
"""

import graphlib
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib.resources import files

from holdfast.core.errors import Fault
from holdfast.core.language import likely_language
from holdfast.core.wording import did_you_mean, either, quote
from holdfast.core.yaml_source import DataPath, YamlSource
from holdfast.personas.schema import Persona

WORDS_SURE = 0.95  # probability from which words are taken for another language's
_MOST_CIRCLES = 5
_MOST_GOALS = 100
_MOST_PHRASES = 200
_NOT_SAID = frozenset(("happened", "people", "tried", "never", "asks", "rules_out"))  # of a story


def check_known(source: YamlSource, key: str, known: Collection[str]) -> Iterator[Fault]:
    """Yield a fault where the word under a top-level key is not in ``known``."""
    word = source.get((key,))
    if isinstance(word, str) and word.strip() not in known:
        hint = did_you_mean(word, known)
        allowed = f"allowed: {either(sorted(known))}; {own_by(key)}"
        yield source.fault((key,), f"unknown {key} {quote(word)}{hint} ({allowed})")


def own_by(what: str) -> str:
    """Say how a task or a pattern of one's own is named: to a command, and in a study."""
    return f"your own by --{what}s FILE, or in a study by {what}s: [FILE]"


def check_repeated(source: YamlSource, keys: Iterable[str], inside: DataPath = ()) -> Iterator[Fault]:
    """Yield a fault for each text that stands twice in one of the lists under ``keys``, whatever its case."""
    for key in keys:
        first: dict[str, int] = {}
        for index, text in enumerate(_list(source.get((*inside, key)))):
            folded = text.strip().casefold() if isinstance(text, str) else ""
            if folded and first.setdefault(folded, index) != index:
                line = source.values[(*inside, key, first[folded])].line
                message = f"{key}: {quote(str(text))} is given twice (first in line {line}); remove one"
                yield source.fault((*inside, key, index), message)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that embedded users speak: those with a phrase file and cue words."""
    folders = [files("holdfast.personas").joinpath(name) for name in ("phrases", "cues")]
    spoken = [{file.name.removesuffix(".yaml") for file in folder.iterdir()} for folder in folders]
    return tuple(sorted(set.intersection(*spoken)))


def check_language(source: YamlSource) -> Iterator[Fault]:
    """Yield a fault where the persona speaks a language that there are no phrases for."""
    language = source.get(("language",))
    if isinstance(language, str) and language not in languages():
        allowed = either(languages())
        yield source.fault(("language",), f"no phrases for the language {quote(language)} (there are: {allowed})")


def language_doubt(persona: Persona) -> str:
    """Say that a persona's words look like another language than it speaks; "" where they do not.

    What it says is made of its own feelings, topics and needs, so these must be of its language.
    """
    words = [*persona.feelings, *persona.topics, *(word for goal in persona.goals for word in (goal.need, goal.topic))]
    likely = likely_language(f"{persona.background} {', '.join(words)}", WORDS_SURE)
    if not likely or likely == persona.language:
        return ""
    return (
        f"{persona.id}: background, feelings, topics and needs look like {quote(likely)}, and it speaks "
        f"{quote(persona.language)}; write 'language: {likely}', or translate them"
    )


def check_goals(source: YamlSource) -> Iterator[Fault]:
    """Yield faults of ids given twice, of ``after`` naming goals that this file lacks, and of circular dependencies."""
    places: dict[str, int] = {}
    after: dict[str, list[str]] = {}
    goals = [goal if isinstance(goal, dict) else {} for goal in _list(source.get(("goals",)))]
    if len(goals) > _MOST_GOALS:  # the schema refuses so many anyway
        return
    for index, goal in enumerate(goals):
        name = goal.get("id")
        if not isinstance(name, str):
            continue
        if name in places:
            first = source.values["goals", places[name], "id"].line
            yield source.fault(("goals", index, "id"), f"goal id {quote(name)} is taken (line {first}); rename one")
            continue
        places[name] = index
        after[name] = [step for step in _list(goal.get("after")) if isinstance(step, str)]
    for index in places.values():
        for position, step in enumerate(_list(goals[index].get("after"))):
            if isinstance(step, str) and step not in places:
                hint = did_you_mean(step, places)
                known = f" (goals: {', '.join(places)})" if len(places) <= 12 else ""
                yield source.fault(("goals", index, "after", position), f"no goal {quote(step)} here{hint}{known}")
    yield from _circles(
        source, places, {name: [step for step in steps if step in places] for name, steps in after.items()}
    )


def check_story(source: YamlSource) -> Iterator[Fault]:
    """Yield faults of a story's ``goals`` that the persona does not have, of goals that it has no words for, and of
    words that the person would ``never`` say."""
    yield from _never_said(source)
    words = source.get(("story", "goals"))
    ids = [
        goal["id"]
        for goal in _list(source.get(("goals",)))
        if isinstance(goal, dict) and isinstance(goal.get("id"), str)
    ]
    if not isinstance(words, dict):
        return
    for name in words:
        if name not in ids:
            hint = did_you_mean(str(name), ids)
            yield source.fault(
                ("story", "goals", name), f"no goal {quote(str(name))} here{hint} (goals: {', '.join(ids)})"
            )
    lacking = [name for name in ids if name not in words]
    if lacking:
        yield source.fault(("story", "goals"), f"no words for the goal {', '.join(map(quote, lacking))}; add some")


def _never_said(source: YamlSource) -> Iterator[Fault]:
    never = [phrase for phrase in _list(source.get(("story", "never"))) if isinstance(phrase, str) and phrase.strip()]
    if not never or len(never) > _MOST_PHRASES:
        return
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(phrase.strip()) for phrase in never)})(?!\w)", re.IGNORECASE)
    for path in [path for path in source.values if path[:1] == ("story",) and _NOT_SAID.isdisjoint(path)]:
        text = source.get(path)
        if isinstance(text, str) and path[-1] != "(again)" and (said := pattern.search(text)) is not None:
            message = f"says {quote(said[0])}, which story.never rules out; say it otherwise, or take it out there"
            yield source.fault(path, message)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _circles(source: YamlSource, places: dict[str, int], after: dict[str, list[str]]) -> Iterator[Fault]:
    for _ in range(_MOST_CIRCLES):
        try:
            graphlib.TopologicalSorter(after).prepare()
            return
        except graphlib.CycleError as error:
            circle: list[str] = error.args[1]  # each comes before the next; the first is also the last
        # start with the goal that is first in the file
        start = min(range(len(circle) - 1), key=lambda index: places[circle[index]])
        circle = [*circle[start:-1], *circle[: start + 1]]
        name, step = circle[0], circle[-2]
        position = _list(source.get(("goals", places[name], "after"))).index(step)
        message = f"goals wait for each other in a circle: {' → '.join(map(quote, circle))}; remove one 'after'"
        yield source.fault(("goals", places[name], "after", position), message)
        after[name].remove(step)
