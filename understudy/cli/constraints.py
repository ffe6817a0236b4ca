"""Parsing of the options that constrain a sample: `--where`, `--rebalance`, `--constraints`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from understudy.cli.inputs import existing_file
from understudy.errors import InvalidInput
from understudy.parameters.constraints import (
    ColumnConstraint,
    ColumnRebalance,
    SampleCondition,
    SamplingConstraints,
    TargetShare,
)
from understudy.tables.schema import Column, TableSchema
from understudy.tables.written_values import is_day, read_value, write_example

Value = bool | int | float | str
T = TypeVar("T")

RANGE = ".."
SHARE = re.compile(r"(?P<value>.*?)=(?P<share>[0-9.eE+-]+)(?:,|$)", re.DOTALL)


def read_constraints(
    where: Sequence[str], rebalance: str | None, file: Path | None, *, schema: TableSchema, n_rows: int
) -> SamplingConstraints | None:
    """Return the sampling constraints that the options describe, or None if no option is given.

    Parameters
    ----------
    n_rows : int
        Number of rows to sample under the condition in `where`.

    Raises
    ------
    InvalidInput
        If more than one option is given, a column does not exist, or a value cannot be parsed.
    """
    given_options = [
        name
        for name, option in (("--where", where), ("--rebalance", rebalance), ("--constraints", file))
        if option
    ]
    if len(given_options) > 1:
        raise InvalidInput(
            f"{' and '.join(given_options)} cannot be combined. Give only one of them.",
            code="invalid_parameters",
        )
    if where:
        return _read_where(where, schema, n_rows)
    if rebalance:
        return _read_rebalance(rebalance, schema)
    if file:
        text = existing_file(file).read_bytes()
        return _checked(
            lambda: SamplingConstraints.model_validate_json(text),
            f"{file} does not contain valid sampling constraints",
        )
    return None


def _read_where(options: Iterable[str], schema: TableSchema, n_rows: int) -> SamplingConstraints:
    column_constraints: dict[str, ColumnConstraint] = {}
    for option in options:
        column, text = _split(option, "=", schema, "--where NAME=VALUE")
        if column.name in column_constraints:
            raise InvalidInput(
                f"--where names column {column.name!r} twice. To allow several values, use --constraints.",
                code="invalid_parameters",
            )
        column_constraints[column.name] = _read_column_constraint(column, text)
    return SamplingConstraints(conditions=(SampleCondition(where=column_constraints, n_rows=n_rows),))


def _read_column_constraint(column: Column, text: str) -> ColumnConstraint:
    if _is_for_missing(column, text):
        return ColumnConstraint(is_missing=True)
    # A text value may contain two dots, and text columns have no ranges.
    if not _is_text(column) and is_day(column, text):
        fields: dict[str, Value] = {"minimum": text, "maximum": text}
    elif RANGE not in text or _is_text(column):
        fields = {"equals": _read_value(column, text)}
    else:
        bounds = zip(("minimum", "maximum"), text.split(RANGE, 1), strict=True)
        fields = {name: _read_value(column, bound) for name, bound in bounds if bound}
    return _checked(lambda: ColumnConstraint.model_validate(fields), f"--where {column.name}={text}")


def _read_rebalance(option: str, schema: TableSchema) -> SamplingConstraints:
    column, text = _split(option, ":", schema, "--rebalance NAME:VALUE=SHARE,VALUE=SHARE")
    shares = _read_shares(column, text)
    return _checked(
        lambda: SamplingConstraints(rebalance=ColumnRebalance(column=column.name, shares=shares)),
        f"--rebalance of {column.name!r}",
    )


def _read_shares(column: Column, text: str) -> tuple[TargetShare, ...]:
    matches = list(SHARE.finditer(text))
    if not matches or "".join(match[0] for match in matches) != text:
        raise InvalidInput(
            f"The value {column.name!r} of --rebalance is not a list of shares for column {text!r}. Use the "
            f"form VALUE=SHARE,VALUE=SHARE, such as yes=0.5,no=0.5.",
            code="invalid_parameters",
        )
    return tuple(_read_share(column, match["value"], match["share"]) for match in matches)


def _read_share(column: Column, value: str, share: str) -> TargetShare:
    own = {} if _is_for_missing(column, value) else {"value": _read_value(column, value)}
    fields = {"share": share, **own}
    return _checked(lambda: TargetShare.model_validate(fields), f"--rebalance of {column.name!r}")


def _split(option: str, separator: str, schema: TableSchema, form: str) -> tuple[Column, str]:
    """Split an option into a column name, which may contain the separator, and the remaining text."""
    names = [name for name in schema.names if option.startswith(name + separator)]
    if names:
        name = max(names, key=len)
        return schema.column(name), option[len(name) + len(separator) :]
    name, separator_found, _ = option.partition(separator)
    if not separator_found:
        raise InvalidInput(
            f"{option!r} is not a valid option value. Use the form {form}.", code="invalid_parameters"
        )
    raise InvalidInput(
        f"The model has no column {name!r}. Use the name of one of its columns.", code="unknown_column"
    )


def _read_value(column: Column, text: str) -> Value:
    """Return the JSON value of a text: a number, a boolean or a string."""
    if _is_text(column):
        return text
    try:
        (value,) = read_value(column, text).to_pylist()
    except ValueError:
        raise InvalidInput(
            f"Column {column.name!r} requires {_expected(column)}, but the value is {text!r}. "
            f"Write it in the column's notation, for example {write_example(column)}.",
            code="invalid_parameters",
        ) from None
    # Dates, times and decimals remain text, which the sampler parses in the same way.
    return value if isinstance(value, bool | int | float) else text


def _expected(column: Column) -> str:
    for prefixes, expected in (
        (("bool",), "true or false"),
        (("int", "uint"), "a whole number"),
        (("halffloat", "float", "double", "decimal"), "a number"),
        (("date",), "a date"),
        (("timestamp",), "a date or a timestamp"),
        (("time",), "a time of day"),
    ):
        if column.arrow_type.startswith(prefixes):
            return expected
    return f"a value of type {column.arrow_type}"


def _is_for_missing(column: Column, text: str) -> bool:
    """Return whether a text represents a missing value in the column. An empty text always does."""
    return not text or (column.notation is not None and text in column.notation.missing)


def _is_text(column: Column) -> bool:
    return column.arrow_type in ("string", "large_string")


def _checked(make: Callable[[], T], source: str) -> T:
    """Call `make` and return its result.

    Translate a validation error into a one-line error that begins with `source`.
    """
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f"{step}: " for step in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{source}: {where}{message}.", code="invalid_parameters") from error
