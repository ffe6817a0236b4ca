"""Synthesizer parameters, as sent over HTTP and stored in model files.

`AnySynthesizer` accepts the parameters of every registered synthesizer. The registry
`understudy.synthesizers` is in a higher layer than this package, so it registers itself here with
`set_registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class SynthesizerParameters(BaseModel):
    """Base class of synthesizer parameters. Each subclass declares ``name: Literal["…"]`` without a default.

    In Python the name can be omitted because the class determines it. In JSON the name selects the class and
    is required.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _default_to_the_name_of_the_class(cls, fields: Any) -> Any:  # `Any` is unvalidated input.
        names = get_args(cls.model_fields["name"].annotation)
        if isinstance(fields, Mapping) and "name" not in fields and len(names) == 1:
            return {"name": names[0], **fields}
        return fields


ParametersByName = Mapping[str, type[SynthesizerParameters]]


class _Registered:
    """A pydantic annotation that reads the registry at each validation, not when a class is defined."""

    read: Callable[[], ParametersByName]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: self._adapter().validate_python(value)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self._adapter().core_schema)

    def _adapter(self) -> TypeAdapter[SynthesizerParameters]:
        return _union_of(tuple(self.read().values()))


@lru_cache
def _union_of(classes: tuple[type[SynthesizerParameters], ...]) -> TypeAdapter[SynthesizerParameters]:
    # `Any` is a union of types that are known only at run time.
    union: Any = Annotated[reduce(or_, classes), Field(discriminator="name")]
    return TypeAdapter(union)


_registered = _Registered()
AnySynthesizer = Annotated[SynthesizerParameters, _registered]


def default_synthesizer() -> SynthesizerParameters:
    """Return the default parameters of the first registered synthesizer."""
    name, parameters = next(iter(_registered.read().items()))
    return parameters.model_validate({"name": name})


def show_default(schema: JsonSchemaValue) -> None:
    """Add the default synthesizer to the JSON Schema of a field."""
    schema["default"] = default_synthesizer().model_dump(mode="json")


def set_registry(read: Callable[[], ParametersByName]) -> None:
    """Set the function that returns the parameter classes that `AnySynthesizer` accepts, by name."""
    _registered.read = read
