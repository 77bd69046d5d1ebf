"""Keys: read from the environment, shown nowhere, and taken out of whatever another program says."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import quote as url_quote

from holdfast.core.wording import printable, shorten

HIDDEN = "[hidden]"
_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")  # variables whose values are taken out of any message
_SHORTEST = 8
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")
_HEADER = re.compile(r"""(?i)(["']?(?:proxy-)?authorization["']?\s*[:=]\s*["']?)[^"'\n,}]+""")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The key that an environment variable holds (None: no key). Only the name is kept: nothing can show the rest."""

    variable: str | None = None

    def reveal(self) -> str:
        """The key itself, "" where there is none. For the request's header only."""
        return os.environ.get(self.variable, "").strip() if self.variable else ""

    def hide_in(self, text: str) -> str:
        """``text`` without the key (also as URLs write it), where it is long enough to be one."""
        key = self.reveal()
        if len(key) < _SHORTEST:  # a dummy such as "none" is no secret, and stands in ordinary words
            return text
        return text.replace(key, HIDDEN).replace(url_quote(key, safe=""), HIDDEN)

    def clean(self, text: str, limit: int = 200) -> str:
        """What a server or a library said, on one short line: without keys and without any authorization header."""
        for key in [key for name, key in os.environ.items() if _NAME.search(name) and len(key) >= _SHORTEST]:
            text = text.replace(key, HIDDEN)
        hidden = _BEARER.sub(HIDDEN, _HEADER.sub(rf"\1{HIDDEN}", self.hide_in(text)))
        return shorten(printable(" ".join(hidden.split())), limit)
