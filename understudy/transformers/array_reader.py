"""Read and validate the output of `to_arrays`, including indices, which compiled code does not check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from understudy.errors import InvalidInput
from understudy.transformers.base import Arrays

M = TypeVar("M", bound=BaseModel)


def refuse(reason: str) -> InvalidInput:
    """Return the error for a file that is not a valid model file."""
    return InvalidInput(
        f"This is not a valid model file: {reason}. "
        "Train the model again, or get an undamaged copy of its file.",
        code="invalid_model_file",
    )


def require(condition: bool, reason: str) -> None:
    """Raise `InvalidInput` with a reason if the content of a model file does not meet a condition."""
    if not condition:
        raise refuse(reason)


class ArrayReader:
    """A reader of a manifest and its arrays that checks each entry when it is read.

    All methods raise `InvalidInput` if the entry is missing or invalid.

    Parameters
    ----------
    manifest, arrays : mapping
        The untrusted content of a model file.
    prefix : str
        Common prefix of the arrays' names.
    """

    def __init__(self, manifest: Mapping[str, Any], arrays: Arrays, prefix: str = "") -> None:
        require(isinstance(manifest, Mapping), "a part of the manifest is not an object")
        self.manifest, self.arrays, self.prefix = manifest, arrays, prefix

    def part(self, manifest: Any, prefix: str) -> ArrayReader:  # `Any` is untrusted JSON.
        """Return a reader of a nested manifest with the same arrays."""
        return ArrayReader(manifest, self.arrays, prefix)

    def whole(self, key: str, low: int = 0, high: int = 2**64) -> int:
        """Return an integer between low and high, both inclusive."""
        value = self.manifest.get(key)
        require(type(value) is int and low <= value <= high, f"{key} is not a whole number in range")
        assert isinstance(value, int)
        return value

    def choice(self, key: str, known: Collection[str]) -> str:
        """Return a string that is one of the known values."""
        value = self.manifest.get(key)
        require(isinstance(value, str) and value in known, f"{key} is unknown")
        return str(value)

    def truth(self, key: str) -> bool:
        """Return a boolean."""
        value = self.manifest.get(key)
        require(isinstance(value, bool), f"{key} is neither true nor false")
        return bool(value)

    def text(self, key: str) -> str:
        """Return a string."""
        value = self.manifest.get(key)
        require(isinstance(value, str), f"{key} is not text")
        return str(value)

    def texts(self, key: str) -> list[str]:
        """Return a list of strings."""
        value = self.manifest.get(key)
        is_texts = isinstance(value, list) and all(isinstance(text, str) for text in value)
        require(is_texts, f"{key} is not a list of strings")
        assert isinstance(value, list)
        return value

    def parts(self, key: str, n: int) -> list[Any]:
        """Return a list of n unchecked items."""
        value = self.manifest.get(key)
        require(isinstance(value, list) and len(value) == n, f"{key} is not a list of {n}")
        assert isinstance(value, list)
        return value

    def parameters(self, model: type[M]) -> M:
        """Return the entry `parameters` as a pydantic model."""
        return self.parse(model, "parameters")

    def parse(self, model: type[M], key: str) -> M:
        """Return an entry as a pydantic model."""
        try:
            return model.model_validate(self.manifest.get(key))
        except (ValidationError, InvalidInput) as error:
            raise refuse(f"{key} is not valid") from error

    def array(self, name: str, dtype: type[np.generic], shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
        """Return an array of the given type and shape. A None in the shape allows any length."""
        array = self.arrays.get(self.prefix + name)
        if array is None:
            raise refuse(f"{self.prefix + name} is missing")
        fits = array.ndim == len(shape) and all(
            n is None or n == m for n, m in zip(shape, array.shape, strict=True)
        )
        require(array.dtype == dtype and fits, f"{self.prefix + name} has an unexpected type or shape")
        return np.ascontiguousarray(array)

    def indices(
        self, name: str, dtype: type[np.generic], shape: tuple[int | None, ...], low: int, high: int
    ) -> npt.NDArray[Any]:
        """Return an array that contains only indices from low to high - 1."""
        array = self.array(name, dtype, shape)
        in_range = array.size == 0 or (int(array.min()) >= low and int(array.max()) < high)
        require(in_range, f"{self.prefix + name} contains an index out of range")
        return array

    def counts(self, name: str, n: int) -> npt.NDArray[np.int64]:
        """Return n counts, at least one of which is positive."""
        counts = self.indices(name, np.int64, (n,), 0, 2**40)
        require(bool(counts.any()), f"{self.prefix + name} contains only zeros")
        return counts
