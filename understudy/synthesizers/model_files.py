"""Reader and writer for model files in format 3: the safetensors format, with JSON as byte arrays.

A file consists of the header length, a JSON header and the bytes of the arrays. It contains no code. The file
is written as a stream, so each array is on disk when its `array` call returns. The file is read through a
memory map. Format: https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from understudy.errors import TooLarge
from understudy.transformers.array_reader import refuse, require

FORMAT_VERSION = 3
# Limits on the resources that a malicious file can consume. Files that a fit writes are far smaller.
HEADER_BYTES_MAX = 100_000_000
JSON_BYTES_MAX = 2**28
N_ENTRIES_MAX = 200_000
N_DIMENSIONS_MAX = 8

Array = npt.NDArray[Any]
_VERSION_KEY = "understudy_model"
_METADATA = "__metadata__"
_JSON_PREFIX = "json/"
_N_LENGTH_BYTES = 8
_ALIGNMENT = 8
_COPY_BYTES = 1 << 20

_DTYPES = {
    **{f"U{8 * n}": np.dtype(f"<u{n}") for n in (1, 2, 4, 8)},
    **{f"I{8 * n}": np.dtype(f"<i{n}") for n in (1, 2, 4, 8)},
    **{f"F{8 * n}": np.dtype(f"<f{n}") for n in (2, 4, 8)},
    "BOOL": np.dtype(np.bool_),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


@dataclass(frozen=True)
class _Entry:
    """An array's name, dtype, shape, and byte offset in the spool or in the data section."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int

    @property
    def n_bytes(self) -> int:
        # Python integers are used, because the product of a malicious shape may not fit in 64 bits.
        return self.dtype.itemsize * math.prod(self.shape)


class ModelFileWriter:
    """Writer of arrays and JSON values to a model file; created by `writing`."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._entries: dict[str, _Entry] = {}
        self._n_bytes = 0

    def array(self, name: str, array: Array) -> None:
        """Write an array under a unique name."""
        assert name not in self._entries, name
        plain = np.ascontiguousarray(array)
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        assert plain.dtype in _NAMES, plain.dtype
        # A view of the bytes avoids a copy. An empty array cannot be viewed as bytes.
        self._spool.write(plain.reshape(-1).view(np.uint8).data if plain.size else b"")
        self._entries[name] = _Entry(name, plain.dtype, array.shape, self._n_bytes)
        self._n_bytes += plain.nbytes

    def json(self, name: str, value: Any) -> None:  # Any: JSON
        """Write a JSON value under a unique name.

        Raises
        ------
        TooLarge
            If the value exceeds `JSON_BYTES_MAX` bytes, the limit of the reader.
        """
        data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if len(data) > JSON_BYTES_MAX:
            raise TooLarge(
                f"The category levels take {len(data):,} bytes, more than the {JSON_BYTES_MAX:,} bytes that "
                "a model file may contain. Leave out columns with long text values.",
            )
        self.array(f"{_JSON_PREFIX}{name}", np.frombuffer(data, np.uint8))

    def finish(self, file: IO[bytes]) -> None:
        """Write the header and all arrays. The bytes do not depend on the order of `array` calls."""
        # Arrays with wide types come first, as in safetensors, so that every array is aligned in the file.
        ordered = sorted(self._entries.values(), key=lambda entry: (-entry.dtype.itemsize, entry.name))
        header: dict[str, Any] = {_METADATA: {_VERSION_KEY: str(FORMAT_VERSION)}}
        end = 0
        for entry in ordered:
            begin, end = end, end + entry.n_bytes
            header[entry.name] = {
                "dtype": _NAMES[entry.dtype],
                "shape": list(entry.shape),
                "data_offsets": [begin, end],
            }
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % _ALIGNMENT)
        file.write(len(text).to_bytes(_N_LENGTH_BYTES, "little") + text)
        for entry in ordered:
            self._copy(entry, file)

    def _copy(self, entry: _Entry, file: IO[bytes]) -> None:
        self._spool.seek(entry.start)
        n_left = entry.n_bytes
        while n_left:
            data = self._spool.read(min(n_left, _COPY_BYTES))
            file.write(data)
            n_left -= len(data)


@contextmanager
def writing(path: Path) -> Iterator[ModelFileWriter]:
    """Write a model file atomically, so that the file is either complete or absent.

    An existing file is replaced, not overwritten, so that a model loaded from it keeps its memory map.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with TemporaryFile(dir=path.parent) as spool:
            writer = ModelFileWriter(spool)
            yield writer
            with partial.open("wb") as file:
                writer.finish(file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class ModelFileReader:
    """Reader of a model file that `ModelFileWriter` wrote. Its arrays are views of the mapped file."""

    format_version = FORMAT_VERSION

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            require(os.fstat(file.fileno()).st_size > _N_LENGTH_BYTES, "it is too short")
            # The map is copy-on-write, because kernels require writable arrays and the file must not change.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        header, start = _read_header(mapped)
        self._json: dict[str, Array] = {}
        self.arrays: dict[str, Array] = {}
        for entry in _checked_entries(header, len(mapped) - start):
            array = _view(mapped, entry, start)
            if entry.name.startswith(_JSON_PREFIX):
                self._json[entry.name.removeprefix(_JSON_PREFIX)] = array
            else:
                self.arrays[entry.name] = array

    def json(self, name: str) -> Any:  # Any: untrusted JSON
        """Return the JSON value with the given name."""
        require(name in self._json, f"{name} is missing")
        array = self._json[name]
        require(array.dtype == np.uint8 and array.ndim == 1, f"{name} is not JSON")
        require(array.nbytes <= JSON_BYTES_MAX, f"{name} is too large")
        try:
            return json.loads(array.tobytes())
        except (ValueError, RecursionError) as error:
            raise refuse(f"{name} is not JSON") from error


def _view(mapped: mmap.mmap, entry: _Entry, start: int) -> Array:
    count = math.prod(entry.shape)
    if not count:
        return np.empty(entry.shape, entry.dtype)
    flat = np.frombuffer(mapped, entry.dtype, count=count, offset=start + entry.start)
    return flat.reshape(entry.shape)


def _read_header(mapped: mmap.mmap) -> tuple[dict[str, Any], int]:
    """Return the entries of the header, and the byte offset of the first array."""
    length = int.from_bytes(mapped[:_N_LENGTH_BYTES], "little")
    start = _N_LENGTH_BYTES + length
    require(length <= HEADER_BYTES_MAX and start <= len(mapped), "its header is too large")
    # Arrays that are aligned in the data section are aligned in the file only if the header is padded.
    require(length % _ALIGNMENT == 0, "its header is not padded")
    try:
        header = json.loads(mapped[_N_LENGTH_BYTES:start], object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise refuse("its header is not JSON") from error
    require(isinstance(header, dict), "its header is not an object")
    metadata = header.pop(_METADATA, None)
    version = metadata.get(_VERSION_KEY) if isinstance(metadata, dict) else None
    is_number = isinstance(version, str) and version.isascii() and version.isdigit()
    require(is_number, "it is not a model file")
    is_newer = len(str(version)) > 9 or int(str(version)) > FORMAT_VERSION
    require(not is_newer, f"its format is newer than {FORMAT_VERSION}; update Understudy to read it")
    require(version == str(FORMAT_VERSION), f"its format is not {FORMAT_VERSION}")
    require(len(header) <= N_ENTRIES_MAX, "it has too many arrays")
    return header, start


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    require(len(values) == len(pairs), "its header contains the same name twice")
    return values


def _checked_entries(header: dict[str, Any], n_bytes: int) -> list[_Entry]:
    """Return the entries of a header, and check that their arrays fill the rest of the file without gaps."""
    entries = sorted((_checked_entry(name, entry) for name, entry in header.items()), key=lambda e: e.start)
    end = 0
    for entry in entries:
        require(entry.start == end, "its arrays overlap, or leave a gap")
        # Compiled code runs slowly on a misaligned array or fails.
        require(entry.start % entry.dtype.itemsize == 0, "an array is not aligned")
        end += entry.n_bytes
    require(end == n_bytes, "its arrays do not fill the file")
    return entries


def _checked_entry(name: str, entry: Any) -> _Entry:  # Any: untrusted JSON
    is_entry = isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}
    require(is_entry, "an entry of its header is not valid")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    require(isinstance(dtype, str) and dtype in _DTYPES, "an array has an unknown type")
    require(_are_sizes(shape) and len(shape) <= N_DIMENSIONS_MAX, "the shape of an array is not valid")
    require(_are_sizes(offsets) and len(offsets) == 2, "the offsets of an array are not valid")
    checked = _Entry(name, _DTYPES[dtype], tuple(shape), offsets[0])
    require(offsets[1] - offsets[0] == checked.n_bytes, "the size of an array does not match its shape")
    return checked


def _are_sizes(numbers: Any) -> bool:  # Any: untrusted JSON
    return isinstance(numbers, list) and all(type(n) is int and 0 <= n < 2**63 for n in numbers)
