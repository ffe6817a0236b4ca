"""The parameters of synthesizers, as they arrive over HTTP and are kept in model files.

`AnySynthesizer` accepts the parameters of every registered synthesizer. The registry is
`understudy.synthesizers`, which stands above this package and says here, by `set_registry`, how to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class SynthesizerParameters(BaseModel):
    """Base of the parameters of every synthesizer; each declares ``name: Literal["…"]`` without a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str


class TreeChainParameters(SynthesizerParameters):
    """A chain of conditional distributions, each a hierarchy of choices by evidence-grown trees."""

    name: Literal["tree_chain"]
    preset: Annotated[
        Literal["fast", "balanced", "best", "guarded"],
        Field(
            description="How much work is put into it: `fast` fits in seconds; `balanced` averages"
            " trees; `best` also accepts rows by how real they look; `guarded` keeps less of single rows in"
            " the model file."
        ),
    ] = "fast"
    time_budget_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=86_400,
            description="In place of a preset: the best of `fast`, `balanced` and `best` that is likely to be"
            " fitted in so many seconds of this machine; the model's card says which.",
        ),
    ] = None

    @model_validator(mode="after")
    def _asks_for_one(self) -> TreeChainParameters:
        if self.time_budget_seconds is not None and "preset" in self.model_fields_set:
            raise ValueError("give either preset or time_budget_seconds")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_asked_for(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        fields.pop("preset" if self.time_budget_seconds is not None else "time_budget_seconds", None)
        return fields


class IndependentParameters(SynthesizerParameters):
    """Every column by itself: the baseline that scores are read against."""

    name: Literal["independent"]


ParametersByName = Mapping[str, type[SynthesizerParameters]]


class _Registered:
    """Validates by the registry as it is when a value arrives, not when a class with the field was made."""

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
    # Any: a union of types that are known at run time only.
    union: Any = Annotated[reduce(or_, classes), Field(discriminator="name")]
    return TypeAdapter(union)


_registered = _Registered()
AnySynthesizer = Annotated[SynthesizerParameters, _registered]


def set_registry(read: Callable[[], ParametersByName]) -> None:
    """Let `AnySynthesizer` accept what `read` returns: the parameters of each synthesizer by its name."""
    _registered.read = read
