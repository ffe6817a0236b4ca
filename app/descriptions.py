"""What an upload is to become: name, format and labels, from the form, the query or the file itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from app.uploads import Upload
from understudy.errors import InvalidInput
from understudy.parameters.base import Labels, Name
from understudy.parameters.read_options import FormatName, ReadOptions, read_options
from understudy.tables.formats import FORMATS
from understudy.tables.formats.compression import split_suffix
from understudy.tables.names import DEFAULT_NAME

# The name of a dataset whose file and sender do not name it.
UNNAMED_DATASET = "upload"

FORM_FIELDS = frozenset({"name", "format", "labels", *ReadOptions.model_fields})


class TableDescription(BaseModel):
    """What a table is to be called and how its file is to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    format: FormatName


class Description(BaseModel):
    """What a dataset is to be called and what its files are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    labels: Labels
    options: ReadOptions
    tables: tuple[TableDescription, ...]


class NamedFile(Protocol):
    """A file and how its sender called it."""

    @property
    def filename(self) -> str | None: ...
    @property
    def media_type(self) -> str | None: ...


@dataclass(frozen=True)
class UploadWishes:
    """Name, format, labels and options of an upload, from its query; None or empty where they are absent."""

    name: str | None
    format: str | None
    labels: Mapping[str, str]
    options: Mapping[str, str]


def describe_upload(upload: Upload, wishes: UploadWishes) -> Description:
    """Return what an upload is to become; what the form says goes before the query.

    Raises
    ------
    InvalidInput
        If a form field is unknown or cannot be used, or as `describe_files` does.
    """
    unknown = sorted(set(upload.fields) - FORM_FIELDS)
    if unknown:
        raise InvalidInput(
            f"The form has an unknown field {unknown[0][:100]!r}; there are file, {_listed(FORM_FIELDS)}.",
            code="invalid_parameters",
        )
    try:
        return describe_files(
            upload.files,
            name=upload.fields.get("name") or wishes.name,
            file_format=upload.fields.get("format") or wishes.format,
            labels=json.loads(upload.fields["labels"]) if "labels" in upload.fields else wishes.labels,
            options=_options_of(upload, wishes.options),
        )
    except (ValidationError, json.JSONDecodeError, RecursionError):
        raise InvalidInput(
            "`name` takes 1 to 255 characters, `labels` a JSON object of up to 16 texts (keys up to 64, "
            "values up to 255 characters); none of them control characters.",
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
    """Return what files are to become.

    Raises
    ------
    InvalidInput
        If the format of one is not known or not read with an option, or two tables would have one name.
    ValidationError
        If the name or a label cannot be used.
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
                f"Files {names.index(table_name) + 1} and {number} would both be table {table_name!r}: a"
                " table is called as its file without the suffix. Rename one of them.",
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
    """Return the name of a file without folder and suffix, perhaps empty; it is never used as a path."""
    base = re.split(r"[/\\]", filename or "")[-1]
    stem = split_suffix(re.sub(r"[\x00-\x1f\x7f]", "", base))[0].rsplit(".", 1)[0].strip()
    return stem[:255]


def _format_of(file: NamedFile, named: str | None) -> str:
    """Return the name of the format that is named, else the suffix's, else the content type's."""
    if named in FORMATS:
        return named
    if named is None:
        filename = split_suffix(file.filename or "")[0].lower()
        by_suffix = [f.name for f in FORMATS.values() if filename.endswith(f.suffixes)]
        by_type = [f.name for f in FORMATS.values() if file.media_type == f.media_type]
        for found in by_suffix + by_type:
            return found
    known = "; ".join(f"{f.name} ({', '.join(f.suffixes)}, {f.media_type})" for f in FORMATS.values())
    is_bare = file.filename is None and named is None
    raise InvalidInput(
        "The format of the file is not known. Name it (`format`), or use a known suffix or content type:"
        f" {known}.",
        code="unsupported_media_type" if is_bare else "unknown_format",
    )
