"""Whether an endpoint has ever answered. Until it has, most failures are mistakes in its address, and not outages.

The first request goes alone, and the others wait for its outcome (see ``circuit_breaker``). What it meets decides when
the endpoint is given up, for all that wait, by its :data:`~holdfast.agents.models.served.failures.Sign`:

=========== =============================================== =========================================================
sign        for example                                     before the first answer the endpoint is given up
=========== =============================================== =========================================================
wrong       a certificate that is not trusted, no TLS there at once
strange     a login page, JSON of another shape             at the third time, within a second
absent      no such host, a refused port                    at the fourth time, in two seconds, or after ``wait_s``
unreachable lost packets, a TLS handshake without end       at the second time, or after ``wait_s``
silent      no answer within ``timeout_s``                  at the second time past 20 s, or after ``wait_s``
outage      503, a reset                                    at the eighth time (or ``retries`` + 1), after ``wait_s``
busy        429                                             as after the first answer: after ``patience_s``
=========== =============================================== =========================================================

``wait_s`` is ``--wait-for-endpoint``: how long a server that is still loading its model is waited for. A refusal (401,
403, 404, a redirect, …) is final for the model whose first request it met.
"""

from collections import Counter
from dataclasses import dataclass, field

from holdfast.agents.models.served.failures import EndpointError, Sign, TransientError

_MORE_TRIES: dict[Sign, int] = {"wrong": 0, "silent": 1, "unreachable": 1, "strange": 2, "absent": 3, "outage": 7}
_LOADING: frozenset[Sign] = frozenset(("absent", "unreachable", "silent", "outage"))
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGEST_BUSY_S = 0.25, 2.0, 30.0
_SILENCE_S = 20.0  # within which short timeouts are tried as often as outages
_HOLDS_S = 30.0  # how long an endpoint that was given up is not asked again


@dataclass
class FirstContact:
    """What an endpoint has said so far, in all event loops of this process. Times are those of the caller's clock."""

    where: str
    retries: int = 6
    wait_s: float = 0.0
    answered: bool = False
    models: set[str] = field(default_factory=set)  # those that have answered
    _refused: dict[str, tuple[float, EndpointError]] = field(default_factory=dict)
    _given_up: tuple[float, str, str] | None = None  # when, the message, the cause
    _met: Counter[Sign] = field(default_factory=Counter)
    _since: float | None = None
    waits: bool = False  # whether what was met last is waited for, however often it is met

    @property
    def clear(self) -> bool:
        """Whether no model was refused so far, so that :meth:`check` has nothing to say."""
        return not self._refused

    def check(self, model: str, now: float) -> None:
        """Raise the EndpointError with which the endpoint, or the ``model`` there, was given up, for a while."""
        if self._given_up is not None:
            when, message, cause = self._given_up
            if now - when <= _HOLDS_S:
                raise EndpointError(message, cause, never_answered=True)
            self._given_up, self._since = None, None
            self._met.clear()
        if model in self._refused:
            when, error = self._refused[model]
            if now - when <= _HOLDS_S:
                raise EndpointError(str(error), error.cause, barring=True, never_answered=True)
            del self._refused[model]

    def failed(self, failure: TransientError, now: float) -> float:
        """Take in a failure before the first answer; returns the seconds until the next try.

        Raises:
            EndpointError: It was the last: the endpoint is given up.
        """
        sign = failure.first_sign
        self._met[sign] += 1
        self._since = now if self._since is None else self._since
        waited, tries = now - self._since, self._met.total()
        pause = min(_FIRST_PAUSE_S * 2.0 ** min(tries - 1, 12), _LONGEST_BUSY_S if sign == "busy" else _LONGEST_PAUSE_S)
        self.waits = sign == "busy" or bool(failure.wait_s) or (sign in _LOADING and waited < self.wait_s)
        if failure.wait_s:
            return failure.wait_s
        if self.waits or self._met[sign] <= self._more_tries(sign, waited):
            return pause
        message = self._farewell(failure, tries, waited)
        self._given_up = (now, message, failure.cause)
        raise EndpointError(message, failure.cause, never_answered=True)

    def refuse(self, model: str, error: EndpointError, now: float) -> None:
        """Note that the first request to ``model`` was refused for good, as any other would be."""
        error.never_answered = True
        self._refused[model] = (now, error)

    def met(self, model: str) -> None:
        """Note that ``model`` has answered."""
        self.answered = True
        if model not in self.models:
            self.models.add(model)
            self._refused.pop(model, None)

    def forget(self, model: str) -> None:
        """Forget a refusal of ``model``: it has been loaded since."""
        self._refused.pop(model, None)

    def _more_tries(self, sign: Sign, waited: float) -> int:
        if sign == "outage" or (sign == "silent" and waited < _SILENCE_S):
            return max(self.retries, _MORE_TRIES["outage"])
        return _MORE_TRIES.get(sign, 0)

    def _farewell(self, failure: TransientError, tries: int, waited: float) -> str:
        often = f" in {tries} tries, the last" if tries > 1 else ""
        wait = f" within {waited:.0f} s" if self.wait_s else ""
        return f"{self.where} did not answer{wait}{often}: {failure.with_advice}"
