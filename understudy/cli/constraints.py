"""What is asked of the rows of a sample, as options write it: `--where`, `--rebalance`, `--constraints`."""

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

Value = bool | int | float | str
T = TypeVar("T")

RANGE = ".."
SHARE = re.compile(r"(?P<value>.*?)=(?P<share>[0-9.eE+-]+)(?:,|$)", re.DOTALL)
WORDS = {"true": True, "false": False}


def read_constraints(
    where: Sequence[str], rebalance: str | None, file: Path | None, *, schema: TableSchema, n_rows: int
) -> SamplingConstraints | None:
    """Return what the options ask of the rows, if they ask anything.

    Parameters
    ----------
    n_rows : int
        How many rows fulfil what `where` says.

    Raises
    ------
    InvalidInput
        If more than one of them is given, a column does not exist, or a value cannot be read.
    """
    given = [
        name
        for name, option in (("--where", where), ("--rebalance", rebalance), ("--constraints", file))
        if option
    ]
    if len(given) > 1:
        raise InvalidInput(
            f"{' and '.join(given)} do not go together; give one of them.", code="invalid_parameters"
        )
    if where:
        return _read_where(where, schema, n_rows)
    if rebalance:
        return _read_rebalance(rebalance, schema)
    if file:
        text = existing_file(file).read_bytes()
        return _checked(
            lambda: SamplingConstraints.model_validate_json(text),
            f"{file} does not hold sampling constraints",
        )
    return None


def _read_where(options: Iterable[str], schema: TableSchema, n_rows: int) -> SamplingConstraints:
    allowed: dict[str, ColumnConstraint] = {}
    for option in options:
        column, asked = _split(option, "=", schema, "--where NAME=VALUE")
        if column.name in allowed:
            raise InvalidInput(
                f"--where names column {column.name!r} twice; for one of several values use --constraints.",
                code="invalid_parameters",
            )
        allowed[column.name] = _read_allowed(column, asked)
    return SamplingConstraints(conditions=(SampleCondition(where=allowed, n_rows=n_rows),))


def _read_allowed(column: Column, asked: str) -> ColumnConstraint:
    if not asked:
        return ColumnConstraint(is_missing=True)
    # In a text two dots may be part of the value, and no text is above another.
    if RANGE not in asked or _is_text(column):
        fields = {"equals": _read_value(column, asked)}
    else:
        bounds = zip(("minimum", "maximum"), asked.split(RANGE, 1), strict=True)
        fields = {name: _read_value(column, bound) for name, bound in bounds if bound}
    return _checked(lambda: ColumnConstraint.model_validate(fields), f"--where {column.name}={asked}")


def _read_rebalance(option: str, schema: TableSchema) -> SamplingConstraints:
    column, listed = _split(option, ":", schema, "--rebalance NAME:VALUE=SHARE,VALUE=SHARE")
    shares = _read_shares(column, listed)
    return _checked(
        lambda: SamplingConstraints(rebalance=ColumnRebalance(column=column.name, shares=shares)),
        f"--rebalance of {column.name!r}",
    )


def _read_shares(column: Column, listed: str) -> tuple[TargetShare, ...]:
    found = list(SHARE.finditer(listed))
    if not found or "".join(match[0] for match in found) != listed:
        raise InvalidInput(
            f"--rebalance of {column.name!r}: {listed!r} is no list of shares, such as yes=0.5,no=0.5.",
            code="invalid_parameters",
        )
    return tuple(_read_share(column, match["value"], match["share"]) for match in found)


def _read_share(column: Column, value: str, share: str) -> TargetShare:
    fields = {"share": share, **({"value": _read_value(column, value)} if value else {})}
    return _checked(lambda: TargetShare.model_validate(fields), f"--rebalance of {column.name!r}")


def _split(option: str, separator: str, schema: TableSchema, form: str) -> tuple[Column, str]:
    """Return the column that an option begins with, and the rest; the name may hold the separator."""
    names = [name for name in schema.names if option.startswith(name + separator)]
    if names:
        name = max(names, key=len)
        return schema.column(name), option[len(name) + len(separator) :]
    name, found, _ = option.partition(separator)
    if not found:
        raise InvalidInput(f"{option!r} is not of the form {form}.", code="invalid_parameters")
    raise InvalidInput(f"The model has no column {name!r}.", code="unknown_column")


def _read_value(column: Column, text: str) -> Value:
    """Return a value as JSON would have it: a number, true or false, or a text."""
    type_ = column.arrow_type
    if type_ == "bool":
        if text.lower() not in WORDS:
            raise _unreadable(column, text, "true or false")
        return WORDS[text.lower()]
    for prefixes, read, meant in (
        (("int", "uint"), int, "a whole number"),
        (("halffloat", "float", "double"), float, "a number"),
    ):
        if type_.startswith(prefixes):
            try:
                return read(text)
            except ValueError:
                raise _unreadable(column, text, meant) from None
    return text


def _unreadable(column: Column, text: str, meant: str) -> InvalidInput:
    return InvalidInput(f"Column {column.name!r} takes {meant}; {text!r} is none.", code="invalid_parameters")


def _is_text(column: Column) -> bool:
    return column.arrow_type in ("string", "large_string")


def _checked(make: Callable[[], T], what: str) -> T:
    """Return what is made, or say in one line what pydantic found wrong."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f"{step}: " for step in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{what}: {where}{message}.", code="invalid_parameters") from error
