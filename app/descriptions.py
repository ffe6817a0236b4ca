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
from understudy.tables.formats.compression import split_suffix

FORM_FIELDS = frozenset({"name", "format", "labels"})


class Description(BaseModel):
    """What a dataset is to be called and how its file is to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    format: str
    labels: Labels


def describe_upload(
    upload: Upload, *, name: str | None, file_format: str | None, labels: Mapping[str, str]
) -> Description:
    """Return what an upload is to become.

    Raises
    ------
    InvalidInput
        If a form field is unknown or cannot be used, or the format is not known.
    """
    unknown = sorted(set(upload.fields) - FORM_FIELDS)
    if unknown:
        raise InvalidInput(
            f"The form has an unknown field {unknown[0][:100]!r}; there are file, name, format and labels.",
            code="invalid_parameters",
        )
    try:
        return Description(
            name=upload.fields.get("name") or name or name_of(upload.filename),
            format=_format_of(upload, upload.fields.get("format") or file_format),
            labels=json.loads(upload.fields["labels"]) if "labels" in upload.fields else dict(labels),
        )
    except (ValidationError, json.JSONDecodeError, RecursionError):
        raise InvalidInput(
            "`name` takes 1 to 255 characters, `labels` a JSON object of up to 16 texts (keys up to 64, "
            "values up to 255 characters); none of them control characters.",
            code="invalid_parameters",
        ) from None


def name_of(filename: str | None) -> str:
    """Return a name for a dataset from the name of a file, which is never used as a path."""
    base = re.split(r"[/\\]", filename or "")[-1]
    stem = split_suffix(re.sub(r"[\x00-\x1f\x7f]", "", base))[0].rsplit(".", 1)[0].strip()
    return stem[:255] or "upload"


def _format_of(upload: Upload, named: str | None) -> str:
    """Return the name of the format that is named, else the suffix's, else the content type's."""
    if named in FORMATS:
        return named
    if named is None:
        filename = split_suffix(upload.filename or "")[0].lower()
        by_suffix = [f.name for f in FORMATS.values() if filename.endswith(f.suffixes)]
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
