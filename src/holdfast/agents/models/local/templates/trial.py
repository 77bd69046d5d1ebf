"""Try a chat template in a process of its own, whose time and memory the operating system limits.

``python -m holdfast.agents.models.local.templates.trial`` reads the template and the conversations from standard input.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import Any

from jinja2 import Template

from holdfast.agents.models.local.templates.bounds import TemplateBoundsError
from holdfast.agents.models.local.templates.sandbox import BoundedEnvironment
from holdfast.core.child_process import module_command, module_environment
from holdfast.core.errors import ModelError

LONGEST_SOURCE = 1_000_000  # characters
SECONDS, BYTES = 4, 1 << 30  # of the process
PATIENCE_S = 60  # for it, on a machine that is busy

_SAID = [{"role": "user", "content": "Hello, it's me."}, {"role": "assistant", "content": "I see. What happened?"}]
_SYSTEM = {"role": "system", "content": "Be kind."}
CONVERSATIONS = (
    _SAID[:1],
    [_SYSTEM, *_SAID[:1]],
    [*_SAID, *_SAID[:1]],
    [_SYSTEM, *_SAID, _SYSTEM, *_SAID[:1]],
    [_SYSTEM, *_SAID * 24, *_SAID[:1]],
)


def require_bounded(source: str, special: str, name: str) -> None:
    """Try a template. ``special``: its tokenizer's special tokens as JSON; ``name``: the model's, for errors.

    Raises:
        ModelError: it does not end within bounds.
    """
    if len(source) > LONGEST_SOURCE:
        raise ModelError(f"the chat template of {name} has {len(source):,} characters, {LONGEST_SOURCE:,} at most")
    try:
        why = _why_endless(source, special)
    except subprocess.TimeoutExpired as error:  # the machine may be busy: another time it need not be
        raise ModelError(endless(name, f"it takes more than {PATIENCE_S} seconds")) from error
    if why:
        raise ModelError(endless(name, why))


@lru_cache(maxsize=64)
def _why_endless(source: str, special: str) -> str:
    """Return why a template does not end within bounds, or "". Raises TimeoutExpired where the process hangs."""
    trial = subprocess.run(
        module_command("holdfast.agents.models.local.templates.trial"),
        input=json.dumps({"source": source, "special": json.loads(special)}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=module_environment(),
        check=False,
    )
    return trial.stdout.strip() or (f"it takes more than {SECONDS} seconds" if trial.returncode < 0 else "")


def endless(name: str, why: str) -> str:
    """Return the sentence for a template that does too much."""
    return f"the chat template of {name} does not end within bounds ({why}); give the model another chat_template.jinja"


def main() -> None:
    """Render the template of standard input for each conversation; print why it is refused, or nothing."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; the parent's patience is one
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    request = json.load(sys.stdin)
    environment = BoundedEnvironment(date(2025, 1, 1))
    try:
        template = environment.from_string(request["source"])
        for messages in CONVERSATIONS:
            for prompted in (True, False):
                environment.work.allow(messages)
                _try(template, messages, prompted, request["special"])
    except TemplateBoundsError as error:
        print(error)
    except MemoryError:
        print("it takes too much memory")
    except RecursionError:
        print("it calls itself without end")
    except Exception:  # one that is no template is refused where it is compiled for use, with its place
        return


def _try(template: Template, messages: Sequence[dict[str, str]], prompted: bool, special: dict[str, Any]) -> None:
    """Render; that the template refuses these messages is its right."""
    try:
        template.render(messages=messages, tools=None, documents=None, add_generation_prompt=prompted, **special)
    except (TemplateBoundsError, MemoryError, RecursionError):
        raise
    except Exception:
        return


if __name__ == "__main__":
    main()
