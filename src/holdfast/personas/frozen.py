"""The base of everything that is read from YAML."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Base of immutable models that refuse unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,  # it may hold a key, and messages name the place
    )
