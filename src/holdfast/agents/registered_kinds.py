"""Kinds that YAML names by a word: of candidates, of raters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from holdfast.core.errors import InputError
from holdfast.core.wording import describe_value, did_you_mean, quote

Spec = TypeVar("Spec", bound=BaseModel)
Resources = TypeVar("Resources")
Made = TypeVar("Made")


@dataclass(slots=True, eq=False)
class RegisteredKinds(Generic[Spec, Resources, Made]):
    """Word -> what YAML may say of this kind, and what builds it; ``entries`` in the order of registration.

    Annotates a field of a model, which then reads words and mappings with ``kind`` and writes them back. The JSON
    schema names all kinds that are registered by the time it is asked for.
    """

    what: str  # as errors call it
    base: type[Spec]
    mapping_of: Callable[[str], Mapping[str, Any]]  # that a word is short for
    written: Callable[[Any], object]
    entries: dict[str, tuple[type[Spec], Callable[[Any, Resources], Made]]] = field(default_factory=dict)
    more: Callable[[], object] | None = None  # registers what other packages bring; called once, when it is needed

    def register(self, word: str, spec: type[Spec], build: Callable[[Any, Resources], Made]) -> None:
        """Let YAML say ``word``. A ValueError where the word is taken."""
        if word in self.entries:
            raise ValueError(f"the {self.what} kind {word!r} is already registered")
        self.entries[word] = (spec, build)

    def load_more(self) -> None:
        """Register what other packages bring, once."""
        more, self.more = self.more, None
        if more is not None:
            more()

    def parse(self, value: object, **more: Any) -> Spec:
        """Return the spec of a word or a mapping with ``kind``, with ``more`` fields where it has none.

        Raises:
            ValueError: It is neither, or no such kind; the message says what is allowed.
        """
        if isinstance(value, self.base):
            return value
        data = self._mapping_of(value) if isinstance(value, str) else value
        if not isinstance(data, dict):
            got = "nothing stands here" if value is None else f"got {describe_value(value)}"
            raise ValueError(f"a {self.what} is a word or a mapping with 'kind'; {got}")
        kind, allowed = data.get("kind"), ", ".join(self.entries)
        if kind is None:
            raise ValueError(f"a {self.what} needs a 'kind'; allowed: {allowed}")
        word = kind if isinstance(kind, str) else ""
        if word not in self.entries:
            self.load_more()
            allowed = ", ".join(self.entries)
        if word not in self.entries:
            hint = did_you_mean(str(kind), self.entries)
            raise ValueError(f"unknown {self.what} kind {quote(str(kind))}{hint} (allowed: {allowed})")
        return self.entries[word][0].model_validate_json(json.dumps({**more, **data}), strict=True)

    def _mapping_of(self, word: str) -> Mapping[str, Any]:
        try:
            return self.mapping_of(word)
        except InputError as error:  # a word may name a path: a file's reader adds the place to a ValueError alone
            raise ValueError(str(error)) from None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.written)
        return core_schema.no_info_plain_validator_function(self.parse, serialization=written)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        self.load_more()
        kinds = {word: spec.__pydantic_core_schema__ for word, (spec, _) in self.entries.items()}
        return handler(
            core_schema.union_schema([core_schema.tagged_union_schema(kinds, "kind"), core_schema.str_schema()])
        )
