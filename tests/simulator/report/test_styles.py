"""Each class that a style sheet names is one that the page's templates or scripts write."""

from __future__ import annotations

import re
from importlib.resources import files

SOURCES = files("holdfast.simulator.report")
NUMBERED = {letter: re.compile(rf"[\"' ]{letter}\{{\{{|'{letter}' ~") for letter in "shv"}  # s{{ place }}, 'v' ~ shade


def texts(folder: str, ending: str) -> str:
    return "\n".join(
        file.read_text(encoding="utf-8") for file in SOURCES.joinpath(folder).iterdir() if file.name.endswith(ending)
    )


def test_no_style_is_for_a_class_that_nothing_has() -> None:
    rules = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", texts("static", ".css"), flags=re.DOTALL)
    styled = set(re.findall(r"\.([A-Za-z][\w-]*)", rules))
    assert len(styled) > 60
    templates, scripts = texts("templates", ".jinja"), texts("static", ".js")
    written = set(re.findall(r"[\w-]+", " ".join(re.findall(r'class="([^"]*)"', templates))))
    written |= set(re.findall(r"[\w-]+", " ".join(re.findall(r"[\"'`][^\"'`\n]*[\"'`]", scripts))))
    numbered = {name for name in styled if name[1:].isdigit() and NUMBERED[name[0]].search(templates)}
    assert styled - written - numbered == set()
