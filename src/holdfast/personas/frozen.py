"""The base of everything that is read from YAML, and the mark of fields that nobody hears in a talk."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: The key of a field's JSON schema under which :func:`unheard` says what the field is for.
USED_FOR = "used_for"
#: The key beside it, where that holds of some personas only: fields of theirs, and the value that each has.
ONLY_WHERE = "only_where"


def unheard(purpose: str, **only_where: int | str) -> Any:
    """Return the mark of a field that changes neither words nor feelings of a talk held by rules: what it is for.

    ``holdfast persona check --effect`` fails for a field without effect that has no such mark. ``only_where``: the
    mark holds of personas that have these values.
    """
    marks: dict[str, Any] = {USED_FOR: purpose, **({ONLY_WHERE: dict(only_where)} if only_where else {})}
    return Field(description=purpose, json_schema_extra=marks)


class Frozen(BaseModel):
    """Base of immutable models that refuse unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,  # it may hold a key, and messages name the place
    )
