"""Validation of the arguments that several public functions share (see `understudy.parameters.calls`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from understudy.errors import InvalidInput
from understudy.frames.datasets import only_table_name
from understudy.frames.frame_format import Library
from understudy.parameters.calls import Arguments, refused, validate_again
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import DatasetSchema, TableSchema

# Any: a DatasetSchema, a Model, a dict, or a TableSchema. `schema` converts them to a DatasetSchema.
SchemaLike = Any
# Any: SamplingConstraints or a dict of its fields.
ConstraintsLike = Any
# Any: EvaluationOptions or a dict of its fields.
OptionsLike = Any


def schema(name: str, value: Any, given: Arguments) -> DatasetSchema | None:
    """Return a DatasetSchema, converted from a Model, a dict, or the TableSchema of the only table."""
    if value is None:
        return None
    if is_model(value):
        value = value.schema
    if isinstance(value, TableSchema):
        table_name = only_table_name(given.get("data", given.get("real")))
        if table_name is None:
            raise InvalidInput(
                f"{name} is a TableSchema, but the data has several tables. Pass a DatasetSchema.",
                code="invalid_parameters",
            )
        value = {"tables": {table_name: value.model_dump(warnings=False)}}
    if not isinstance(value, DatasetSchema | Mapping):
        raise refused(
            name, value, "Pass a DatasetSchema, a Model, a dict, or the TableSchema of the only table."
        )
    validated: DatasetSchema = validate_again(DatasetSchema, name, value)
    for table in validated.tables.values():
        for column in table.columns:
            parse_arrow_type(column.arrow_type)  # Raise an error for an unknown type.
    return validated


def schema_or_model(name: str, value: Any, given: Arguments) -> Any:
    """Return a model unchanged to preserve its findings. Convert any other value with `schema`."""
    return value if is_model(value) else schema(name, value, given)


def is_model(value: Any) -> bool:
    """Return whether a value is a `Model`. The check avoids a circular import of the class."""
    return hasattr(value, "synthesizer") and isinstance(getattr(value, "schema", None), DatasetSchema)


def model(name: str, value: Any, _: Arguments) -> Any:
    """Return the value if it is a model, otherwise raise an error."""
    if not is_model(value):
        raise refused(name, value, "Pass a Model returned by understudy.fit or understudy.load.")
    return value


def library(name: str, value: Any, _: Arguments) -> Any:
    """Return the value if it is the name of a frame library, otherwise raise an error."""
    if value not in get_args(Library):
        raise InvalidInput(
            f"{name} is not the name of a frame library. Choose one of {', '.join(get_args(Library))}.",
            code="invalid_parameters",
        )
    return value
