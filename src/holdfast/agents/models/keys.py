"""API keys: read from the environment, never shown, never sent where they may be overheard, and removed from messages.

A study's file may come from anyone, and it names both the variable and the address. So a key goes to this machine or,
by https, to a host whose key the variable can be; for anything else the user consents in the environment, with
``HOLDFAST_KEY_HOSTS``.
"""

import os
import re
from dataclasses import dataclass
from urllib.parse import quote as url_quote

from holdfast.agents.models.addresses import host_of, is_https, is_loopback, is_within, origin_of
from holdfast.core.wording import printable, shorten

HIDDEN = "[hidden]"
#: Hosts, joined by commas, that any variable may be sent to, by http too. A study's file cannot set it.
CONSENT = "HOLDFAST_KEY_HOSTS"
_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")  # variables whose values are taken out of any message
_SHORTEST = 8
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")
_HEADER = re.compile(r"""(?i)(["']?(?:proxy-)?authorization["']?\s*[:=]\s*["']?)[^"'\n,}]+""")
_LIKE_A_MODELS_KEY = re.compile(r"(^|_)(API_?)?(KEY|TOKEN)(_|$)|(API)?KEY\d*$")
#: Keys of other services than models, and the hosts whose models they open all the same.
_OTHERS = re.compile(
    r"(AWS|GITHUB|GH|GITLAB|CI|NPM|PYPI|TWINE|DOCKER|KUBE\w*|SSH|GPG|VAULT|STRIPE|SLACK|TWILIO|SENDGRID|DATADOG|DD|"
    r"CLOUDFLARE|CF|HEROKU|VERCEL|NETLIFY|ANSIBLE|TF|TERRAFORM|DB|DATABASE|POSTGRES|PG|MYSQL|REDIS|MONGO\w*|DJANGO|"
    r"FLASK|RAILS|JWT|SESSION|ENCRYPTION|SIGNING|PRIVATE)_.+"
)
_THEIR_HOSTS = {
    "AWS": ("amazonaws.com",),
    "GITHUB": ("github.ai", "githubcopilot.com", "models.inference.ai.azure.com"),
    "GH": ("github.ai", "githubcopilot.com", "models.inference.ai.azure.com"),
    "CLOUDFLARE": ("cloudflare.com",),
    "CF": ("cloudflare.com",),
    "VERCEL": ("vercel.sh", "vercel.com"),
    "HEROKU": ("heroku.com", "herokuapp.com"),
}


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


def key_fault(variable: str, url: str, proxy: str | None = None) -> str | None:
    """Say why the key in ``variable`` must not be sent to ``url``; None where it may.

    ``proxy``: the proxy that requests go through; it can read what goes to an http address.
    """
    if not is_https(url) and proxy is not None and not is_loopback(proxy) and not _consented(proxy):
        return (
            f"the key in {variable} would pass the proxy {origin_of(proxy)} unencrypted, because {origin_of(url)} is "
            f"no https address; use https, or keep {host_of(url)} from the proxy with NO_PROXY"
        )
    if is_loopback(url) or _consented(url):
        return None
    consent = f"set {CONSENT}={host_of(url)} in the environment to allow it"
    if not is_https(url):
        return (
            f"the key in {variable} would travel unencrypted to {origin_of(url)}; use https or a tunnel to localhost, "
            f"or {consent}"
        )
    hosts = _THEIR_HOSTS.get(variable.partition("_")[0], ())
    if is_within(url, hosts) or (_LIKE_A_MODELS_KEY.search(variable) and not _OTHERS.fullmatch(variable)):
        return None
    return (
        f"{variable} does not look like the key of a model at {origin_of(url)}, and is not sent there; put that key "
        f"into a variable such as MY_API_KEY, or {consent}"
    )


def _consented(url: str) -> bool:
    """Whether the environment names the host; OPENAI_BASE_URL stands there too, so it is the user's own wish."""
    hosts = os.environ.get(CONSENT, "").lower().replace(",", " ").split()
    return host_of(url) in (*hosts, host_of(os.environ.get("OPENAI_BASE_URL", "")))
