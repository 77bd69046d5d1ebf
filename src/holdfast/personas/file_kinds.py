"""Which kind of YAML file one is: a study, a persona, a task, a pattern or a phrase file, told by its keys.

So a file that is given to the wrong command is named for what it is, instead of by the faults that it has as another
kind, and a folder may hold several kinds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from holdfast.core.errors import Fault, InputError
from holdfast.core.files import is_leftover
from holdfast.core.wording import how_many
from holdfast.core.yaml_source import YamlSource, read_yaml

#: Kind -> the keys that no other kind has.
SIGNS: Mapping[str, frozenset[str]] = {
    "study": frozenset(("candidates", "personas", "raters", "replicates", "turns", "training", "model")),
    "persona": frozenset(("goals", "desired_empathy", "feelings", "speech", "temperament", "background", "patience")),
    "task": frozenset(("needs", "pattern")),
    "pattern": frozenset(("target", "advice", "scale", "words")),
    "phrase file": frozenset(("frames", "tones")),
}
#: Kind -> what to do with such a file.
_WAYS: Mapping[str, str] = {
    "study": "run it with: holdfast run {file} --out RUN, or check it with: holdfast study check {file}",
    "persona": "hear it with: holdfast persona talk {file}, or name it in a study: personas: {{files: [{file}]}}",
    "task": "check it with: holdfast task check {file}, or name it in a study: tasks: [{file}]",
    "pattern": "check it with: holdfast pattern check {file}, or name it in a study: patterns: [{file}]",
    "phrase file": "it holds what users say, and belongs to a language",
}


def yaml_kind(data: object) -> str | None:
    """Return the kind that most keys of a file speak for; None where none does, or two do alike."""
    if not isinstance(data, dict):
        return None
    votes = Counter({kind: len(signs.intersection(data)) for kind, signs in SIGNS.items()}).most_common(2)
    (kind, most), (_, next_most) = votes
    return kind if most > next_most else None


def other_kind(data: object, wanted: str) -> str | None:
    """Return the kind of a file that is surely not of the kind ``wanted``; None where it may be."""
    kind = yaml_kind(data)
    wants = isinstance(data, dict) and bool(SIGNS[wanted].intersection(data))
    return None if kind == wanted or wants else kind


def require_kind(source: YamlSource, wanted: str) -> None:
    """Raise InputError for a file of another kind than ``wanted``, saying which and what to do with it."""
    kind = other_kind(source.data, wanted)
    if kind is not None:
        article = "an" if wanted[0] in "aeiou" else "a"
        message = f"is a {kind}, not {article} {wanted}; {_WAYS[kind].format(file=source.name)}"
        raise InputError([Fault(source.name, message)])


def kinds_in_words(kinds: Mapping[str, int]) -> str:
    """Return counts of files by kind: ``2 studies, 1 pattern``."""
    return ", ".join(how_many(count, kind, "studies" if kind == "study" else "") for kind, count in kinds.items())


def others_in(folders: Iterable[Path], wanted: str) -> dict[str, int]:
    """Count the YAML files directly in ``folders`` that are of another kind than ``wanted``, by their kind."""
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]
    kinds: Counter[str] = Counter()
    for file in dict.fromkeys(files):
        if file.suffix in (".yaml", ".yml") and not is_leftover(file):
            try:
                kinds[other_kind(read_yaml(file).data, wanted) or ""] += 1
            except InputError:
                continue  # told by whoever reads it
    return {kind: count for kind, count in sorted(kinds.items()) if kind}
