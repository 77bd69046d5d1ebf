"""People of other tools as drafts of personas: sdialog's personas, and character cards.

Read is JSON that others wrote: untrusted text, bounded as every file of a persona is, each fault with its place.

- ``sdialog``: what ``Persona.to_file`` of sdialog (https://github.com/idiap/sdialog) writes: a mapping of attributes.
- ``card``: a character card of version 2 or 3 (``spec: chara_card_v2``, what matters under ``data``), or of version 1,
  which has the same keys at its top (https://github.com/malfoyslastname/character-card-spec-v2).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from holdfast.core.errors import Fault, InputError
from holdfast.core.text import decode, encodable, read_bytes
from holdfast.core.wording import printable, quote
from holdfast.core.yaml_source import YamlSource, parse_yaml
from holdfast.personas.drafting import PersonaDraft, shortened_name
from holdfast.personas.frozen import Frozen
from holdfast.personas.loading import validate_source

Source = Literal["sdialog", "card"]
SOURCES: tuple[Source, ...] = ("sdialog", "card")
LONGEST = 2000  # characters of a background
_MOST_NAMED = 20  # keys that are listed as left out

Foreign = Annotated[str, Field(max_length=200_000)] | None
_LANGUAGES = {"english": "en", "en": "en", "spanish": "es", "español": "es", "es": "es"}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\t')
_SENTENCE = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True)
class ImportedPerson:
    """A draft, and which keys of the file have no place in it, with the reason where it is not plain."""

    draft: PersonaDraft
    left_out: tuple[str, ...]


class _Sdialog(Frozen):
    """The attributes of sdialog's personas that have a place in a background."""

    model_config = ConfigDict(extra="ignore")
    name: Foreign = None
    age: int | float | Foreign = None
    gender: Foreign = None
    race: Foreign = None
    language: Foreign = None
    role: Foreign = None
    occupation: Foreign = None
    education: Foreign = None
    background: Foreign = None
    personality: Foreign = None
    circumstances: Foreign = None
    interests: Foreign = None
    hobbies: Foreign = None


class _CardData(Frozen):
    model_config = ConfigDict(extra="ignore")
    name: Foreign = None
    description: Foreign = None
    personality: Foreign = None
    scenario: Foreign = None


class _Card(Frozen):
    model_config = ConfigDict(extra="ignore")
    spec: Literal["chara_card_v2", "chara_card_v3"]
    data: _CardData


def imported_person(path: Path, source: Source) -> ImportedPerson:
    """Read one person. What the file lacks is left to the draft's defaults.

    Raises:
        InputError: It is no such file, or holds what no persona may: hidden characters, texts or files too large.
    """
    read = read_foreign_json(path)
    if not isinstance(read.data, dict):
        kind = "a list: give each person a file" if isinstance(read.data, list) else "a single value"
        raise InputError([read.fault((), f"expected a mapping of a person's attributes, got {kind}")])
    person = _READERS[source](read)
    if not any((person.draft.background, person.draft.notes)) and not person.draft.name:
        raise InputError([read.fault((), f"says nothing of a person that {source} knows; is it another format?")])
    return person


def read_foreign_json(path: Path) -> YamlSource:
    """Read JSON as a source with places. Raises InputError: it is none, or past what is read of YAML."""
    name = printable(str(path))
    text = decode(read_bytes(path), name)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError([Fault(name, f"not valid JSON: {error.msg}", error.lineno, error.colno)]) from None
    except (ValueError, RecursionError):
        raise InputError([Fault(name, "not valid JSON: nested too deep, or a number too long", 1, 1)]) from None
    # JSON is YAML but for tabs between values, and characters that are written as two halves
    return parse_yaml(_TOKEN.sub(_as_yaml, text).encode("utf-8", "surrogatepass"), name)


def _as_yaml(token: re.Match[str]) -> str:
    if token[0] == "\t":
        return " "
    whole = json.dumps(json.loads(token[0]), ensure_ascii=False) if "\\u" in token[0] else token[0]
    return token[0] if encodable(whole) != whole else whole  # a half that stands alone keeps its escape, and is refused


def _sdialog(read: YamlSource) -> ImportedPerson:
    person = validate_source(read, _Sdialog)
    spoken = (person.language or "").strip().lower()
    age = f"{person.age:g}" if isinstance(person.age, int | float) else person.age
    first = ", ".join(
        part.strip() for part in (age, person.gender, person.race, person.role, person.occupation) if part
    )
    parts = [first, person.background, person.education, person.personality, person.circumstances]
    parts += [
        f"{what}: {text}" for what, text in (("Interests", person.interests), ("Hobbies", person.hobbies)) if text
    ]
    left_out = _left_out(read, (), _Sdialog)
    if spoken and spoken not in _LANGUAGES:
        left_out = (*left_out, f"language {quote(spoken)}, which embedded users do not speak")
    return _person(person.name, parts, left_out, _LANGUAGES.get(spoken))


def _card(read: YamlSource) -> ImportedPerson:
    assert isinstance(read.data, dict)
    wrapped = "spec" in read.data or "data" in read.data
    data = validate_source(read, _Card).data if wrapped else validate_source(read, _CardData)
    name = shortened_name(data.name or "")  # a long one in each of many slots would fill the memory

    def filled(text: str | None) -> str | None:
        """Fill the two slots of cards: the character, and whoever talks with it."""
        if text is None:
            return None
        return re.sub(r"(?i)\{\{user\}\}", "the assistant", re.sub(r"(?i)\{\{char\}\}", lambda _: name, text))

    parts = [filled(text) for text in (data.description, data.personality, data.scenario)]
    return _person(name, parts, _left_out(read, ("data",) if wrapped else (), _CardData), None)


def _person(
    name: str | None, parts: list[str | None], left_out: tuple[str, ...], language: str | None
) -> ImportedPerson:
    whole = " ".join(_sentence(" ".join(part.split())) for part in parts if part and part.strip())
    background = _within(whole)
    if len(background) < len(whole):
        left_out = (*left_out, f"{len(whole) - len(background):,} characters past a background's {LONGEST:,}")
    called = shortened_name(" ".join((name or "").split()))
    return ImportedPerson(PersonaDraft(called, background=background or None, language=language), left_out)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", '"')) else f"{text}."


def _within(text: str) -> str:
    """Return as many whole sentences as a background holds; words where the first is longer."""
    if len(text) <= LONGEST:
        return text
    ends = [match.start() for match in _SENTENCE.finditer(text, 0, LONGEST)]
    return text[: ends[-1]] if ends else text[:LONGEST].rpartition(" ")[0] or text[:LONGEST]


def _left_out(read: YamlSource, path: tuple[str, ...], model: type[Frozen]) -> tuple[str, ...]:
    """Return the keys with a value that the draft has no place for, but for those that only say which format it is."""
    data = read.get(path)
    keys = [key for key, value in data.items() if value not in (None, "", [], {})] if isinstance(data, dict) else []
    unknown = [printable(key)[:60] for key in keys if key not in model.model_fields and key not in _OF_THE_FORMAT]
    more = len(unknown) - _MOST_NAMED
    return (*unknown[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else []))


_OF_THE_FORMAT = frozenset(("_metadata", "spec", "spec_version", "data"))
_READERS: Mapping[Source, Callable[[YamlSource], ImportedPerson]] = {"sdialog": _sdialog, "card": _card}
