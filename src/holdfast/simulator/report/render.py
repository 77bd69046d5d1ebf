"""Templates, styles and script into one HTML text, under a content security policy that names them by their hash.

Everything that a model wrote passes through jinja2's autoescape or through ``safe_json``. Should something slip past
both, the policy still stops it: only the page's own script and style, known by their SHA-256, may run or apply, and
nothing may be fetched.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from holdfast.core.atomic import drafted
from holdfast.core.text import visible
from holdfast.simulator.report import values

STYLES = ("base.css", "figures.css", "transcripts.css", "print.css")
SCRIPTS = ("figures.js", "transcripts.js", "search.js")


def render(context: Mapping[str, Any], template: str = "page.html.jinja", scripts: tuple[str, ...] = SCRIPTS) -> str:
    """The whole page. Raises ``jinja2.UndefinedError`` where the context lacks what a template asks for."""
    style = bundle(STYLES)
    script = f'(() => {{\n"use strict";\n{bundle(scripts)}}})();\n'  # one scope, nothing global
    policy = policy_for(script, style)
    page = environment().get_template(template)
    return page.render(style=Markup(style), script=Markup(script), policy=policy, **context)


def policy_for(script: str, style: str) -> str:
    """Return the content security policy of a page that runs ``script`` and nothing else."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def write_page(
    path: Path, context: Mapping[str, Any], template: str = "page.html.jinja", scripts: tuple[str, ...] = SCRIPTS
) -> Path:
    """Write the page to ``path``, whole or not at all, and return it. Raises OSError where it cannot be written."""
    text = render(context, template, scripts)
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="replace")
    return path


def environment() -> Environment:
    """Autoescape everywhere, hidden characters written out, undefined names are errors, numbers as in ``values``."""
    env = Environment(
        loader=PackageLoader("holdfast.simulator.report"),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written = (
        values.fixed,
        values.signed,
        values.percent,
        values.times,
        values.between,
        values.words,
        values.count,
        values.p_value,
    )
    env.filters.update({write.__name__: write for write in (*written, values.middle)})
    return env


def bundle(names: tuple[str, ...]) -> str:
    """The named files of ``static/``, joined: exactly the text that stands between the tags."""
    folder = files("holdfast.simulator.report") / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
