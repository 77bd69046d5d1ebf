"""The mutation test of a persona: which of its fields change messages, which only feelings, and which nothing."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from holdfast.agents.users.effects.changing import changed, fields_of
from holdfast.agents.users.effects.held import TalkTrace, held_talk
from holdfast.agents.users.effects.scripts import ReplyScript, advice_of, question_of, scripts_for
from holdfast.agents.users.reply_cues import share_named
from holdfast.core.wording import quote
from holdfast.core.yaml_source import DataPath
from holdfast.personas.frozen import ONLY_WHERE, USED_FOR
from holdfast.personas.schema import Persona
from holdfast.personas.story import Story

#: Further draws of each script, and the seed of the first, where words did not come up.
FURTHER, FURTHER_SEED = 12, 100

Effect = Literal["messages", "feelings", "nothing"]


@dataclass(frozen=True, slots=True)
class FieldEffect:
    """What a field changes.

    Attributes:
        path: Of the field in the persona's file.
        changes: The most that a change of it did; "messages" is also when the person would leave.
        used_for: Where it changes nothing: what the schema says it is for; "" where it does not say.
    """

    path: DataPath
    changes: Effect
    used_for: str = ""

    @property
    def unexplained(self) -> bool:
        """Whether it changes nothing, and nobody says why it is there."""
        return self.changes == "nothing" and not self.used_for


@dataclass(frozen=True)
class _Held:
    """A script that was held with the persona as it is."""

    script: ReplyScript
    seed: int
    natural: bool
    trace: TalkTrace


async def effects_of(
    persona: Persona,
    tasks: Collection[str],
    languages: Collection[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[FieldEffect]:
    """Return what each field of ``persona`` changes; nothing for one of which no other value is valid.

    Args:
        persona: Whoever is tested.
        tasks: Tasks that there are.
        languages: Languages that embedded users speak.
        progress: Told how many fields of how many are done.
    """
    voices = (True, False) if persona.story is not None else (False,)
    talks = [
        _Held(script, seed, natural, await held_talk(persona, script, seed, natural=natural))
        for script in scripts_for(persona)
        for natural in voices
        if natural or not script.name.startswith(("asked", "advised"))
        for seed in range(script.seeds)
    ]
    rare: list[_Held] = []
    paths, effects = list(fields_of(persona)), list[FieldEffect]()
    for number, path in enumerate(paths):
        others = list(changed(persona, path, tasks, languages))
        if others:
            purpose = purpose_of(persona, path) or covered_by(persona, path)
            likely = await _likely(persona, path, talks)
            if purpose:  # a check of what is expected, not a search
                others, likely = others[:1], [talk for talk in likely if not talk.seed and talk.natural is voices[0]]
            changes = await _changes(others, likely)
            if changes == "nothing" and not purpose and path[0] == "story":
                changes = await _rarely_changes(persona, others, rare)
            effects.append(FieldEffect(path, changes, purpose if changes == "nothing" else ""))
        progress(number + 1, len(paths))
    return effects


async def _changes(others: Collection[Persona], talks: Collection[_Held]) -> Effect:
    most: Effect = "nothing"
    for other in others:
        for talk in talks:
            said = talk.trace.messages
            trace = await held_talk(other, talk.script, talk.seed, natural=talk.natural, until_unlike=said)
            if (trace.messages, trace.leaves) != (talk.trace.messages, talk.trace.leaves):
                return "messages"
            most = "feelings" if trace.feelings != talk.trace.feelings else most
    return most


async def _rarely_changes(persona: Persona, others: Collection[Persona], rare: list[_Held]) -> Effect:
    """Look for words that come up rarely, in further draws of the talks; ``rare`` keeps those for the next field."""
    changes = await _changes(others, rare)
    scripts = [script for script in scripts_for(persona) if len(script.replies) > 1]
    while changes == "nothing" and len(rare) < FURTHER * len(scripts):
        script, seed = scripts[len(rare) % len(scripts)], FURTHER_SEED + len(rare) // len(scripts)
        rare.append(_Held(script, seed, True, await held_talk(persona, script, seed, natural=True)))
        changes = await _changes(others, rare[-1:])
    return changes


async def _likely(persona: Persona, path: DataPath, talks: list[_Held]) -> list[_Held]:
    """Return the talks in which a change can show.

    Of words that the person says: talks that say them. Of words that a fact is asked for, or that it rules
    out: talks that ask or advise in just these words.
    """
    story = persona.story
    if story is None or path[0] != "story":
        return talks
    if (phrase := _phrase_of(story, path)) is not None:
        reply = question_of(phrase) if path[3] == "asks" else advice_of(phrase)
        script = ReplyScript(f"in the words of {path}", (reply,) * 2)
        seeds = range(3)
        return [_Held(script, seed, True, await held_talk(persona, script, seed, natural=True)) for seed in seeds]
    value: Any = story.model_dump(mode="json")
    for part in path[1:]:
        value = value[part]

    def first_in(talk: _Held) -> int:
        said = talk.trace.messages
        return next((turn for turn, message in enumerate(said) if str(value) in message), len(said))

    saying = [talk for talk in talks if first_in(talk) < len(talk.trace.messages)]
    return sorted(saying, key=first_in)


def _phrase_of(story: Story, path: DataPath) -> str | None:
    """Return the words at ``path`` for which a fact is told, or that it rules out; None elsewhere."""
    if path[1] != "facts" or path[3] not in {"asks", "rules_out"}:
        return None
    fact = story.facts[int(path[2])]
    return (fact.asks if path[3] == "asks" else fact.rules_out)[int(path[4])]


def covered_by(persona: Persona, path: DataPath) -> str:
    """Say of words that ask for a fact, or that it rules out, that others do so already; "" where none do.

    Whatever holds all content words of the one holds those of the other too; and of several facts that are asked for,
    the first is told.
    """
    phrase = None if persona.story is None or path[0] != "story" else _phrase_of(persona.story, path)
    if phrase is None or persona.story is None:
        return ""
    sentence = (question_of(phrase) if path[3] == "asks" else advice_of(phrase))[0]
    for index, fact in enumerate(persona.story.facts[: int(path[2]) + 1]):
        for number, other in enumerate(fact.asks if path[3] == "asks" else fact.rules_out):
            if (index, number) != (path[2], path[4]) and share_named(sentence, other) == 1.0:
                return f"story.facts[{index + 1}].{path[3]}[{number + 1}] ({quote(other)}) holds wherever this does"
    return ""


def purpose_of(persona: Persona, path: DataPath) -> str:
    """Return what the schema says that a field without effect is for; "" where it says nothing for this persona."""
    marks = [node for node in _nodes(path) if USED_FOR in node]
    holds = (all(getattr(persona, key) == value for key, value in node.get(ONLY_WHERE, {}).items()) for node in marks)
    return next((str(node[USED_FOR]) for node, true in zip(marks, holds, strict=True) if true), "")


def _nodes(path: DataPath) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a persona's JSON schema on the way to a field."""
    root = _schema()
    options: list[Mapping[str, Any]] = [root]
    for part in path:
        inner = [_step(option, part) for option in options]
        options = [each for schema in inner if schema is not None for each in _resolved(schema, root)]
        yield from options


def _step(option: Mapping[str, Any], part: str | int) -> Mapping[str, Any] | None:
    inner = option.get("items") if isinstance(part, int) else option.get("properties", {}).get(part)
    inner = option.get("additionalProperties") if inner is None else inner
    return inner if isinstance(inner, dict) else None


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "$ref" in schema:
        target = root["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]]
        return [{**target, **{key: value for key, value in schema.items() if key != "$ref"}}]
    several = schema.get("anyOf", ())
    return [each for inner in several for each in _resolved(inner, root)] if several else [schema]


@cache
def _schema() -> dict[str, Any]:
    return Persona.model_json_schema()
