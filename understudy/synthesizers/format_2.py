"""Reader of model files of format 2, a zip archive with a JSON manifest and plain arrays.

Files in this format can be read, but are no longer written.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from understudy.errors import InvalidInput
from understudy.synthesizers.base import Json
from understudy.tables.stored_schemas import read_stored
from understudy.transformers.array_reader import refuse, require

FORMAT_VERSION = 2
MAGIC = b"PK"
MANIFEST_NAME = "manifest.json"
# Limits on the resources that a malicious file can consume. Files that a fit wrote were far smaller.
N_MEMBERS_MAX = 200_000
SIZE_BYTES_MAX = 2**31
MANIFEST_BYTES_MAX = 2**28

# Exceptions that zipfile, zlib, json and numpy raise for malformed bytes.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    OverflowError,
    MemoryError,
    KeyError,
)


class Format2Reader:
    """A model file in format 2. Its content is converted to format 3."""

    format_version = FORMAT_VERSION

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            try:
                manifest, self.arrays = _read_archive(file)
            except InvalidInput:
                raise
            except _UNREADABLE as error:
                raise refuse("its content cannot be read") from error
        self._json = _upgraded(manifest)

    def json(self, name: str) -> Any:  # Any: untrusted JSON
        """Return the JSON value with the given name."""
        return self._json[name]


def _upgraded(manifest: Json) -> Json:
    """Return the content of a format 2 manifest as JSON values in format 3."""
    model = dict(manifest["model"])
    try:
        schema, _ = read_stored(model.pop("schema", None))
    except (ValidationError, InvalidInput) as error:
        raise refuse("its schema is not valid") from error
    columns = model.get("columns")
    if isinstance(columns, list):
        model["columns"] = [_upgraded_column(column) for column in columns]
    return {
        "manifest": {
            "synthesizer": manifest.get("synthesizer"),
            "schema": schema.model_dump(mode="json"),
            "extra": manifest.get("extra", {}),
        },
        "model": model,
    }


def _upgraded_column(column: Any) -> Any:  # Any: untrusted JSON
    if not isinstance(column, dict) or column.get("transformer") != "made_anew":
        return column
    return column | {"transformer": "generated", "generated": column.get("made_anew")}


def _read_archive(file: BinaryIO) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        require(len(members) == len(archive.infolist()) <= N_MEMBERS_MAX, "it has too many parts")
        require(sum(info.file_size for info in members.values()) <= SIZE_BYTES_MAX, "it is too large")
        require(MANIFEST_NAME in members, "it has no manifest")
        manifest = _read_manifest(archive, members.pop(MANIFEST_NAME))
        return manifest, {
            name.removesuffix(".npy"): _read_array(archive, info) for name, info in members.items()
        }


def _read_manifest(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Json:
    require(info.file_size <= MANIFEST_BYTES_MAX, "its manifest is too large")
    manifest = json.loads(archive.read(info))
    require(isinstance(manifest, dict), "its manifest is not an object")
    version = manifest.get("format")
    is_newer = type(version) is int and version > FORMAT_VERSION
    require(not is_newer, f"its format is newer than {FORMAT_VERSION}; update Understudy to read it")
    require(version == FORMAT_VERSION, f"its format is not {FORMAT_VERSION}")
    require(isinstance(manifest.get("model"), dict), "it has no model")
    return dict(manifest)


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(info) as member:
        data = member.read(info.file_size)
    buffer = io.BytesIO(data)
    require(np.lib.format.read_magic(buffer) == (1, 0), "an array has an unsupported format version")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    # The size is checked before memory is allocated for the shape in the header.
    n_bytes = math.prod(shape) * dtype.itemsize
    is_plain = dtype.kind in "iuf" and not is_fortran and dtype.isnative and min(shape, default=0) >= 0
    require(is_plain and n_bytes == len(data) - buffer.tell(), "an array has the wrong size or type")
    return np.frombuffer(data, dtype, offset=buffer.tell()).reshape(shape).copy()
