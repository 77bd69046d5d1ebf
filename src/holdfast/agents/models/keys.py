"""API keys: read from the environment, never shown, and removed from messages of other programs."""

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
    """The key in an environment variable (None: no key). Only the variable's name is stored."""

    variable: str | None = None

    def reveal(self) -> str:
        """Return the key, "" where there is none. For the request's header only."""
        return os.environ.get(self.variable, "").strip() if self.variable else ""

    def hide_in(self, text: str) -> str:
        """Return ``text`` without the key (also URL-encoded), where it is long enough to be one."""
        key = self.reveal()
        if len(key) < _SHORTEST:  # a dummy such as "none" is no secret, and stands in ordinary words
            return text
        return text.replace(key, HIDDEN).replace(url_quote(key, safe=""), HIDDEN)

    def clean(self, text: str, limit: int = 200) -> str:
        """Shorten a message of a server or library to one line, without keys and authorization headers."""
        for key in [key for name, key in os.environ.items() if _NAME.search(name) and len(key) >= _SHORTEST]:
            text = text.replace(key, HIDDEN)
        hidden = _BEARER.sub(HIDDEN, _HEADER.sub(rf"\1{HIDDEN}", self.hide_in(text)))
        return shorten(printable(" ".join(hidden.split())), limit)
