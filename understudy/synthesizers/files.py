"""Model files: a zip of one JSON manifest and plain arrays. No pickle: reading a file runs nothing in it."""

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

from understudy.errors import InvalidInput, TooLarge
from understudy.synthesizers import SYNTHESIZERS
from understudy.synthesizers.base import Manifest, Synthesizer
from understudy.tables.findings import Findings
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.stored_schemas import write_stored
from understudy.transformers.array_reader import refuse, require

# Version 1 was never released.
FORMAT_VERSION = 2
MANIFEST_NAME = "manifest.json"
# Far beyond what a fit writes; what a hostile file may make us read.
N_MEMBERS_MAX = 200_000
SIZE_BYTES_MAX = 2**31
MANIFEST_BYTES_MAX = 2**28
# A fixed date: the same model gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def save_model(
    synthesizer: Synthesizer,
    path: Path,
    *,
    schema: DatasetSchema | TableSchema,
    extra: Manifest | None = None,
) -> None:
    """Write a fitted synthesizer; the same model gives the same bytes.

    Parameters
    ----------
    path : Path
        Overwritten.
    schema : DatasetSchema
        The tables that the model gives, for readers that do not load it.
    extra : dict
        JSON that is kept beside the model, such as the seed of the split.
    """
    if isinstance(schema, TableSchema):
        schema = DatasetSchema(tables={DEFAULT_NAME: schema})
    model, arrays = synthesizer.to_arrays()
    manifest = {
        "format": FORMAT_VERSION,
        "synthesizer": synthesizer.name,
        "schema": write_stored(schema, Findings(), next(iter(schema.tables))),
        "model": model,
        "extra": extra or {},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(_member(MANIFEST_NAME), _manifest_bytes(manifest))
        for name in sorted(arrays):
            archive.writestr(_member(f"{name}.npy"), _array_bytes(arrays[name]))


def _manifest_bytes(manifest: Manifest) -> bytes:
    data = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if len(data) > MANIFEST_BYTES_MAX:
        raise TooLarge(
            f"The levels of the categories take {len(data):,} bytes; a model file has room for "
            f"{MANIFEST_BYTES_MAX:,}. Leave out columns of long texts.",
        )
    return data


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _array_bytes(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def load_model(path: Path) -> tuple[Synthesizer, Manifest]:
    """Return the fitted synthesizer of a model file, and the file's manifest.

    Raises
    ------
    InvalidInput
        If the file was not written by `save_model`, or was damaged or tampered with.
    """
    with path.open("rb") as file:
        try:
            manifest, arrays = _read_archive(file)
        except InvalidInput:
            raise
        except _UNREADABLE as error:
            raise refuse("it cannot be read") from error
    name = manifest.get("synthesizer")
    require(isinstance(name, str) and name in SYNTHESIZERS, "its synthesizer is unknown")
    return SYNTHESIZERS[str(name)].load().from_arrays(manifest["model"], arrays), manifest


# What zipfile, zlib, json and numpy raise on bytes that are not theirs.
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


def _read_archive(file: BinaryIO) -> tuple[Manifest, dict[str, npt.NDArray[Any]]]:
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        require(len(members) == len(archive.infolist()) <= N_MEMBERS_MAX, "it has too many parts")
        require(sum(info.file_size for info in members.values()) <= SIZE_BYTES_MAX, "it is too large")
        require(MANIFEST_NAME in members, "it has no manifest")
        manifest = _read_manifest(archive, members.pop(MANIFEST_NAME))
        return manifest, {
            name.removesuffix(".npy"): _read_array(archive, info) for name, info in members.items()
        }


def _read_manifest(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Manifest:
    require(info.file_size <= MANIFEST_BYTES_MAX, "its manifest is too large")
    manifest = json.loads(archive.read(info))
    require(isinstance(manifest, dict), "its manifest is not an object")
    version = manifest.get("format")
    is_newer = type(version) is int and version > FORMAT_VERSION
    require(not is_newer, f"its format is newer than {FORMAT_VERSION}, which this version reads; update it")
    require(version == FORMAT_VERSION, f"its format is not {FORMAT_VERSION}, the one that this version reads")
    require(isinstance(manifest.get("model"), dict), "it has no model")
    return dict(manifest)


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(info) as member:
        data = member.read(info.file_size)
    buffer = io.BytesIO(data)
    require(np.lib.format.read_magic(buffer) == (1, 0), "an array is of another version")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    # Sizes are compared before anything is allocated by what the header claims.
    n_bytes = math.prod(shape) * dtype.itemsize
    is_plain = dtype.kind in "iuf" and not is_fortran and dtype.isnative and min(shape, default=0) >= 0
    require(is_plain and n_bytes == len(data) - buffer.tell(), "an array has another size or type")
    return np.frombuffer(data, dtype, offset=buffer.tell()).reshape(shape).copy()
