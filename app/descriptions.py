"""What an upload is to become: its name, format and labels, from the form, the query or the file itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from app.uploads import Upload
from understudy.errors import InvalidInput
from understudy.job_kinds.base import Labels, Name
from understudy.tables.formats import FORMATS
from understudy.tables.reading import ReadOptions, read_options

FORM_FIELDS = frozenset({"name", "format", "labels", *ReadOptions.model_fields})


class Description(BaseModel):
    """What a dataset is to be called and how its file is to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    format: str
    labels: Labels
    options: ReadOptions


def describe_upload(
    upload: Upload,
    *,
    name: str | None,
    file_format: str | None,
    labels: Mapping[str, str],
    options: Mapping[str, str],
) -> Description:
    """Return what an upload is to become; what the form says goes before the arguments.

    Raises
    ------
    InvalidInput
        If a form field is unknown or cannot be used, the format is not known or takes no such option.
    """
    unknown = sorted(set(upload.fields) - FORM_FIELDS)
    if unknown:
        raise InvalidInput(
            f"The form has an unknown field {unknown[0][:100]!r}; there are file, {_listed(FORM_FIELDS)}.",
            code="invalid_parameters",
        )
    format_name = _format_of(upload, upload.fields.get("format") or file_format)
    try:
        return Description(
            name=upload.fields.get("name") or name or name_of(upload.filename),
            format=format_name,
            options=_options_of(upload, options, format_name),
            labels=json.loads(upload.fields["labels"]) if "labels" in upload.fields else dict(labels),
        )
    except (ValidationError, json.JSONDecodeError, RecursionError):
        raise InvalidInput(
            "`name` takes 1 to 255 characters, `labels` a JSON object of up to 16 texts (keys up to 64, "
            "values up to 255 characters); none of them control characters.",
            code="invalid_parameters",
        ) from None


def _options_of(upload: Upload, given: Mapping[str, str], format_name: str) -> ReadOptions:
    in_form = {name: text for name, text in upload.fields.items() if name in ReadOptions.model_fields}
    options = read_options({**given, **in_form})
    FORMATS[format_name].check_options(options)
    return options


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def name_of(filename: str | None) -> str:
    """Return a name for a dataset from the name of a file, which is never used as a path."""
    base = re.split(r"[/\\]", filename or "")[-1]
    stem = re.sub(r"[\x00-\x1f\x7f]", "", base).rsplit(".", 1)[0].strip()
    return stem[:255] or "upload"


def _format_of(upload: Upload, named: str | None) -> str:
    """Return the name of the format that is named, else the suffix's, else the content type's."""
    if named in FORMATS:
        return named
    if named is None:
        by_suffix = [f.name for f in FORMATS.values() if (upload.filename or "").lower().endswith(f.suffixes)]
        by_type = [f.name for f in FORMATS.values() if upload.media_type == f.media_type]
        for found in by_suffix + by_type:
            return found
    known = "; ".join(f"{f.name} ({', '.join(f.suffixes)}, {f.media_type})" for f in FORMATS.values())
    is_bare = upload.filename is None and named is None
    raise InvalidInput(
        "The format of the file is not known. Name it (`format`), or use a known suffix or content type:"
        f" {known}.",
        code="unsupported_media_type" if is_bare else "unknown_format",
    )
