"""The two ways in which a request fails: another try may mend it, or it may not."""

from dataclasses import dataclass
from typing import Literal

from holdfast.core.errors import ModelError

#: What servers say to a request whose JSON schema they do not know.
NO_SCHEMA = frozenset(("400", "404", "415", "422", "500", "501"))

#: What a failure says of an endpoint that has never answered: it is the ``wrong`` address for good (a certificate), it
#: answers in a ``strange`` way (a login page), nothing is there (``absent``: it may still be starting), nobody takes
#: the connection (``unreachable``), it takes the request and is ``silent``, it is ``busy`` and says so, or anything
#: else (``outage``).
Sign = Literal["wrong", "strange", "absent", "unreachable", "silent", "outage", "busy"]


class EndpointError(ModelError):
    """A service refused a request for good, or did not answer.

    Attributes:
        cause: An HTTP status, or the kind of failure.
        barring: Whether the service would refuse any other request to this model too.
        never_answered: Whether the endpoint, or the model there, has never answered anything.
        field: The field of the request that the service does not take, where it names one.
        instead: The field that it wants instead, where it names one.
    """

    def __init__(
        self,
        message: str,
        cause: str,
        *,
        barring: bool = False,
        never_answered: bool = False,
        field: str | None = None,
        instead: str | None = None,
    ) -> None:
        super().__init__(message, cause)
        self.cause = cause
        self.barring = barring
        self.never_answered = never_answered
        self.field = field
        self.instead = instead

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(eq=False)
class TransientError(Exception):
    """A failure that another try may mend.

    Attributes:
        cause: Its kind in a word or two, as tables count it.
        wait_s: How long the server asks everybody to wait.
        sign: What it means before the first answer; None: as its cause says.
        advice: What the user may do about it.
    """

    cause: str
    detail: str = ""
    wait_s: float | None = None
    sign: Sign | None = None
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.cause} ({self.detail})" if self.detail else self.cause

    @property
    def first_sign(self) -> Sign:
        """What it says of an endpoint that has never answered."""
        return self.sign or ("strange" if self.cause == "malformed" else "outage")

    @property
    def of_all(self) -> bool:
        """Whether any other request would meet it now: nobody listens there, or a gateway has nobody behind it."""
        return self.sign in ("absent", "unreachable") or self.cause in ("502", "503")

    @property
    def with_advice(self) -> str:
        """The failure, and what to do about it."""
        return f"{self}; {self.advice}" if self.advice else str(self)
