"""Fields of a request that a model does not take, or takes under another name: learned from what its server refuses."""

import json
from dataclasses import dataclass, field

from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.served.refusals import LENGTH

#: Fields that are left out where a server does not take them: reasoning models draw as they do, whatever is asked.
_LEFT_OUT = frozenset(("temperature", "top_p"))
_OLD, _NEW = "max_tokens", LENGTH


@dataclass
class FieldChanges:
    """What a model's requests go without (``left_out``), and whether their length is limited under its newer name."""

    left_out: set[str] = field(default_factory=set)
    renamed: bool = False

    def applied_to(self, body: bytes) -> bytes:
        """Return the request's body with these changes."""
        fields = json.loads(body)
        fields = {name: value for name, value in fields.items() if name not in self.left_out}
        if self.renamed and _OLD in fields:
            limit = fields.pop(_OLD)
            fields.setdefault(_NEW, limit)
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass
class FieldsTaken:
    """The changes of each model at an endpoint, by its name there."""

    changes: dict[str, FieldChanges] = field(default_factory=dict)

    def learn(self, model: str, error: EndpointError, sent: bytes) -> str | None:
        """Learn from a refusal; what the user should know of it ("": nothing), None where it teaches nothing new."""
        name = error.field
        if name is None or f'"{name}":'.encode() not in sent:
            return None
        if name == _OLD and error.instead == _NEW and f'"{_NEW}":'.encode() not in sent:
            self.changes.setdefault(model, FieldChanges()).renamed = True
            return ""
        if name in _LEFT_OUT:
            self.changes.setdefault(model, FieldChanges()).left_out.add(name)
            return f"{model} does not take {name!r}: it is left out, and the model's own default holds ({error})"
        return None
