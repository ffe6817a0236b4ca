"""Descriptions of uploaded datasets, derived from the form, the query and the files themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from app.nearest import suggestion
from app.uploads import Upload
from understudy.errors import InvalidInput
from understudy.parameters.base import Labels, Name
from understudy.parameters.read_options import FormatName, ReadOptions, read_options
from understudy.tables.formats import FORMATS
from understudy.tables.formats.compression import split_suffix
from understudy.tables.names import DEFAULT_NAME

# Default name of a dataset if neither the request nor the file contains a name.
UNNAMED_DATASET = "upload"

FORM_FIELDS = frozenset({"name", "format", "labels", *ReadOptions.model_fields})


class TableDescription(BaseModel):
    """The name of a table and the format of its file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    format: FormatName


class Description(BaseModel):
    """The name, labels, read options and tables of a dataset to create."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    labels: Labels
    options: ReadOptions
    tables: tuple[TableDescription, ...]


class NamedFile(Protocol):
    """A file with the name and media type that the client sent."""

    @property
    def filename(self) -> str | None: ...
    @property
    def media_type(self) -> str | None: ...


@dataclass(frozen=True)
class UploadQueryOptions:
    """Name, format, labels and read options in the query of an upload. Absent values are None or empty."""

    name: str | None
    format: str | None
    labels: Mapping[str, str]
    options: Mapping[str, str]


def describe_upload(upload: Upload, query: UploadQueryOptions) -> Description:
    """Return the description of the dataset that an upload creates. The form takes precedence over the query.

    Raises
    ------
    InvalidInput
        If a form field is unknown or invalid, or under the same conditions as `describe_files`.
    """
    unknown = sorted(set(upload.fields) - FORM_FIELDS)
    if unknown:
        raise InvalidInput(
            f"The form has an unknown field {unknown[0][:100]!r}.{suggestion(unknown[0], FORM_FIELDS)}"
            f" Use only file, {_listed(FORM_FIELDS)}.",
            code="invalid_parameters",
        )
    try:
        return describe_files(
            upload.files,
            name=upload.fields.get("name") or query.name,
            file_format=upload.fields.get("format") or query.format,
            labels=json.loads(upload.fields["labels"]) if "labels" in upload.fields else query.labels,
            options=_options_of(upload, query.options),
        )
    except (ValidationError, json.JSONDecodeError, RecursionError):
        raise InvalidInput(
            "`name` or `labels` is invalid. `name` must have 1 to 255 characters, and `labels` must be a JSON"
            " object of up to 16 strings (keys up to 64 characters, values up to 255), all without control"
            " characters.",
            code="invalid_parameters",
        ) from None


def describe_files(
    files: Sequence[NamedFile],
    *,
    name: str | None,
    file_format: str | None,
    labels: Mapping[str, str],
    options: ReadOptions,
) -> Description:
    """Return the description of the dataset to create from the given files.

    Raises
    ------
    InvalidInput
        If the format of a file is unknown or does not support an option, or two tables would have the same
        name.
    ValidationError
        If the name or a label is invalid.
    """
    stems = [stem_of(file.filename) for file in files]
    tables = [
        {"name": stem or DEFAULT_NAME, "format": _format_of(file, file_format)}
        for file, stem in zip(files, stems, strict=True)
    ]
    names = [table["name"] for table in tables]
    for number, table_name in enumerate(names, 1):
        if names.index(table_name) + 1 < number:
            raise InvalidInput(
                f"Files {names.index(table_name) + 1} and {number} would both become the table"
                f" {table_name!r}, because a table is named after its file without the suffix. Rename one of"
                " them.",
                code="duplicate_table",
            )
    formats = [FORMATS[table["format"]] for table in tables]
    if not any(options.given <= format_.options for format_ in formats):
        formats[0].check_options(options)
    return Description.model_validate(
        {"name": name or stems[0] or UNNAMED_DATASET, "labels": labels, "options": options, "tables": tables}
    )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _options_of(upload: Upload, given: Mapping[str, str]) -> ReadOptions:
    in_form = {name: text for name, text in upload.fields.items() if name in ReadOptions.model_fields}
    return read_options({**given, **in_form})


def stem_of(filename: str | None) -> str:
    """Return a file name without folder and suffix. The result can be empty and is never used as a path."""
    base = re.split(r"[/\\]", filename or "")[-1]
    stem = split_suffix(re.sub(r"[\x00-\x1f\x7f]", "", base))[0].rsplit(".", 1)[0].strip()
    return stem[:255]


def _format_of(file: NamedFile, named: str | None) -> str:
    """Return the requested format, or else the format that the suffix or the content type indicates."""
    if named in FORMATS:
        return named
    if named is None:
        filename = split_suffix(file.filename or "")[0].lower()
        by_suffix = [f.name for f in FORMATS.values() if filename.endswith(f.suffixes)]
        by_type = [f.name for f in FORMATS.values() if file.media_type == f.media_type]
        for name in by_suffix + by_type:
            return name
    known = "; ".join(f"{f.name} ({', '.join(f.suffixes)}, {f.media_type})" for f in FORMATS.values())
    is_bare = file.filename is None and named is None
    raise InvalidInput(
        "The format of the file is unknown. Set `format`, or use one of these suffixes or content types:"
        f" {known}.",
        code="unsupported_media_type" if is_bare else "unknown_format",
    )
