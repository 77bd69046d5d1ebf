"""A field of YAML that takes any registered kind: of candidates, of raters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class RegisteredKinds:
    """Annotates a field of a model: reads words and mappings with ``kind``, and writes them back.

    The JSON schema names all kinds that are registered by the time it is asked for.
    """

    kinds: Callable[[], Mapping[str, tuple[type[BaseModel], Any]]]
    parse: Callable[[object], BaseModel]
    write: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.write)
        return core_schema.no_info_plain_validator_function(self.parse, serialization=written)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        kinds = {word: spec.__pydantic_core_schema__ for word, (spec, _) in self.kinds().items()}
        return handler(
            core_schema.union_schema([core_schema.tagged_union_schema(kinds, "kind"), core_schema.str_schema()])
        )
