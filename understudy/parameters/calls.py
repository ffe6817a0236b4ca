"""Argument checks for the public Python functions, and translation of library errors to `UnderstudyError`."""

from __future__ import annotations

import errno
import inspect
import numbers
import operator
import os
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError

from understudy.errors import InvalidInput, NotFound, StorageFull, UnderstudyError

P = ParamSpec("P")
R = TypeVar("R")
# `Any` is an argument of any type. A check takes a parameter's name, its value and all arguments, and returns
# the value to use.
Arguments = Mapping[str, Any]
Check = Callable[[str, Any, Arguments], Any]

SEED_LIMIT = 2**63
_FULL = (errno.ENOSPC, errno.EDQUOT)


def checked(**checks: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that replaces a function's arguments with the results of the checks.

    Validation errors of pydantic, and file errors on a path that the caller passed, are raised as
    `UnderstudyError`s.

    Parameters
    ----------
    **checks : callable
        A check for each parameter, by the parameter's name.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        unknown = checks.keys() - signature.parameters.keys()
        assert not unknown, unknown

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            given = dict(bound.arguments)
            try:
                for name in given.keys() & checks.keys():
                    bound.arguments[name] = checks[name](name, given[name], given)
                return function(*bound.args, **bound.kwargs)
            except ValidationError as error:
                raise InvalidInput(explain(error), code="invalid_parameters") from error
            except OSError as error:
                path = _path_of(error, given)
                if path is None:
                    raise
                raise file_error(error, path) from error

        return call

    return decorate


def refused(name: str, value: Any, remedy: str) -> InvalidInput:
    """Return the error for an argument of an unsupported type."""
    return InvalidInput(f"{name} is of type {type(value).__name__}. {remedy}", code="invalid_parameters")


def explain(error: ValidationError, name: str | None = None) -> str:
    """Describe the first of pydantic's errors in a sentence, without the invalid value and without a URL."""
    items = error.errors(include_url=False, include_input=False, include_context=False)
    first = items[0]
    place = ".".join([name or error.title, *map(str, first["loc"])])
    n_more = len(items) - 1
    more = (
        f" There {'is' if n_more == 1 else 'are'} {n_more} more error{'s' * (n_more > 1)}." if n_more else ""
    )
    return f"{place}: {first['msg'].removeprefix('Value error, ')}.{more}"


def file_error(error: OSError, path: str) -> UnderstudyError:
    """Return the error for a file that cannot be opened, with the path that the caller gave."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if not Path(path).parent.is_dir():
            return NotFound(
                f"The folder of the file {path!r} does not exist. Create it, or correct the path."
            )
        return NotFound(f"The file {path!r} does not exist. Correct the path.")
    if isinstance(error, IsADirectoryError) or Path(path).is_dir():
        return InvalidInput(f"{path!r} is a folder. Pass the path of a file.")
    if isinstance(error, PermissionError):
        return InvalidInput(f"The file {path!r} cannot be opened: permission denied. Change its permissions.")
    if error.errno in _FULL:
        return StorageFull(
            f"There is no space left to write {path!r}. Free disk space, or choose another disk."
        )
    return InvalidInput(
        f"The file {path!r} cannot be read or written: {error.strerror or 'damaged'}. "
        f"Check the file and its folder."
    )


def _path_of(error: OSError, given: Arguments) -> str | None:
    """Return the caller's path that caused an error, or None if the caller gave no path."""
    paths = [os.fspath(path) for value in given.values() for path in _paths(value)]
    named = [path for path in paths if path in str(error)]
    # Errors of Arrow and of temporary files do not contain a path that the caller gave.
    return next(iter([*named, *paths]), None)


def _paths(value: Any) -> Iterator[str | os.PathLike[str]]:
    for item in value.values() if isinstance(value, Mapping) else (value,):
        if isinstance(item, str | os.PathLike):
            yield item


def whole_number(*, minimum: int = 0, limit: int = SEED_LIMIT, is_optional: bool = True) -> Check:
    """Return a check for Python or numpy integers from a minimum up to, but not including, a limit."""

    def check(name: str, value: Any, _: Arguments) -> int | None:
        if value is None and is_optional:
            return None
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise refused(name, value, "Pass an integer.")
        try:
            number = operator.index(value)
        except TypeError:
            raise refused(name, value, "Pass an integer.") from None
        if not minimum <= number < limit:
            power = limit.bit_length() - 1
            raise InvalidInput(
                f"{name} is out of range. Pass an integer from {minimum} to 2**{power} - 1.",
                code="invalid_parameters",
            )
        return number

    return check


def number(name: str, value: Any, _: Arguments) -> float:
    """Return a Python or numpy number as a float."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise refused(name, value, "Pass a number.")
    return float(value)


def names(name: str, value: Any, _: Arguments) -> tuple[str, ...] | None:
    """Return column names as a tuple, which may be empty. A string is a single name."""
    if value is None or isinstance(value, str):
        return None if value is None else (value,)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise refused(name, value, "Pass a column name, or a tuple of column names.")


def path(name: str, value: Any, _: Arguments) -> Path:
    """Return an argument as the path of a file."""
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise refused(name, value, "Pass the path of a file.")
    if not os.fspath(value) or "\0" in os.fspath(value):
        raise InvalidInput(f"{name} is empty or contains a NUL character. Pass the path of a file.")
    return Path(value)


def tables(name: str, value: Any, _: Arguments) -> Any:
    """Return an argument that contains tables, after checking any paths in it."""
    if any(not os.fspath(item) or "\0" in os.fspath(item) for item in _paths(value)):
        raise InvalidInput(f"A path in {name} is empty or contains a NUL character. Pass the path of a file.")
    return value


def validated(class_: type[BaseModel], *, is_optional: bool = True) -> Check:
    """Return a check that accepts objects of a pydantic class, or dicts with its fields.

    Objects are validated again because `model_copy` does not validate.
    """

    def check(name: str, value: Any, _: Arguments) -> Any:
        if value is None and is_optional:
            return None
        if not isinstance(value, class_ | Mapping):
            raise refused(name, value, f"Pass a {class_.__name__} or a dict of its fields.")
        return validate_again(class_, name, value)

    return check


def validate_again(class_: type[BaseModel], name: str, value: Any) -> Any:
    """Return a validated object from a dict of fields, or from an object that may have become invalid.

    Raises
    ------
    InvalidInput
        If a field is invalid. The detail contains the first invalid field.
    """
    try:
        fields = value.model_dump(warnings=False) if isinstance(value, BaseModel) else dict(value)
        return class_.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput(explain(error, name), code="invalid_parameters") from error
    # The object is a copy with a value that pydantic cannot serialize.
    except (AttributeError, TypeError) as error:
        raise InvalidInput(
            f"A field of {name} has a value of the wrong type. Create a new {class_.__name__} with valid "
            f"values.",
            code="invalid_parameters",
        ) from error
