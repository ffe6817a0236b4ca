"""Options that control how commands read tables: one for each field of `ReadOptions`, and `--rejects`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import pyarrow as pa
import typer
from pydantic.fields import FieldInfo

from understudy.cli.inputs import existing_file
from understudy.complete_files import complete_or_absent
from understudy.parameters.read_options import ReadOptions, read_options
from understudy.progress import Progress
from understudy.tables.formats import format_for_output, format_for_path, write_table
from understudy.tables.formats.scan import REJECTS_SCHEMA

PANEL = "Reading tables"
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        rich_help_panel=PANEL,
        help="File for the list of rows skipped with --bad-rows skip: .csv or .parquet.",
    ),
]


class TableReader:
    """A reader for a command's tables. It applies to each table the options that the format accepts.

    Parameters
    ----------
    rejects_file : Path, optional
        Output file that lists the skipped rows from all tables.
    """

    def __init__(self, options: ReadOptions, rejects_file: Path | None) -> None:
        self._options = options
        self._rejects_file = rejects_file
        self._rejects: list[tuple[str, pa.Table]] = []

    def check(self, *paths: Path) -> None:
        """Raise `InvalidInput` if none of the file formats accepts all given options."""
        formats = [format_for_path(path) for path in paths]
        if formats and not any(self._options.given <= format_.options for format_ in formats):
            formats[0].check_options(self._options)

    def read(self, path: Path, progress: Progress) -> pa.Table:
        """Return the table in a file, and print warnings about reading it on stderr."""
        format_ = format_for_path(path)
        options = format_.supported_options(self._options)
        loaded = format_.load(existing_file(path), options=options, progress=progress)
        for warning in loaded.warnings:
            sys.stderr.write(f"{path.name}: {warning}\n")
        if loaded.rejects is not None:
            self._rejects.append((str(path), loaded.rejects))
        return loaded.table

    def save_rejects(self) -> None:
        """Write the list of rows that were skipped in all files, if an output file was specified for it."""
        if self._rejects_file is None:
            return
        named = [
            table.add_column(0, "file", pa.array([name] * table.num_rows, pa.string()))
            for name, table in self._rejects
        ]
        schema = REJECTS_SCHEMA.insert(0, pa.field("file", pa.string()))
        listed = pa.concat_tables([schema.empty_table(), *named])
        with complete_or_absent(self._rejects_file) as partial:
            write_table(partial, listed.to_batches(), listed.schema)


def reads_tables(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add the reading options to a command, which gets a `TableReader` as its argument `tables`.

    The command returns its exit status, or None for success.
    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    command_parameters = [
        p.replace(annotation=hints[p.name]) for p in signature.parameters.values() if p.name != "tables"
    ]

    @wraps(command)
    def wrapper(**arguments: Any) -> int | None:
        texts = {name: arguments.pop(name) for name in ReadOptions.model_fields}
        options = read_options({name: text for name, text in texts.items() if text is not None})
        rejects_file = arguments.pop("rejects")
        if rejects_file is not None:
            format_for_output(rejects_file)
        tables = TableReader(options, rejects_file)
        status = command(**arguments, tables=tables)
        tables.save_rejects()
        return status

    parameters = [*command_parameters, *_parameters()]
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # typer reads it
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del wrapper.__wrapped__  # Otherwise, typer would read the annotations of `command`.
    return wrapper


def _type_of(field: FieldInfo) -> Any:  # `Any` is a type or a union of types.
    """Return the type of the command-line option for a `ReadOptions` field."""
    if _is_repeatable(field):
        return list[str] | None
    return bool | None if field.annotation == bool | None else str | None


def _help(field: FieldInfo) -> str:
    text = field.description or ""
    return text.replace(", separated by commas", "") + " Repeatable." if _is_repeatable(field) else text


def _is_repeatable(field: FieldInfo) -> bool:
    """Return whether an option can be repeated, once for each of its values."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("repeatable") is True


def _parameters() -> list[inspect.Parameter]:
    named = {
        name: Annotated[
            _type_of(field),
            typer.Option(_declaration(name, field), rich_help_panel=PANEL, help=_help(field)),
        ]
        for name, field in ReadOptions.model_fields.items()
    }
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in (named | {"rejects": Rejects}).items()
    ]


def _declaration(name: str, field: FieldInfo) -> str:
    """Return the names of an option. A boolean option takes no value and has a negative form."""
    option = name.replace("_", "-")
    return f"--{option}/--no-{option}" if field.annotation == bool | None else f"--{option}"
