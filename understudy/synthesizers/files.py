"""Save fitted synthesizers as model files, and load them. No pickle: reading a file runs nothing in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from understudy.errors import InvalidInput
from understudy.synthesizers import SYNTHESIZERS
from understudy.synthesizers.base import Json, Synthesizer
from understudy.synthesizers.format_2 import MAGIC, Format2Reader
from understudy.synthesizers.model_files import ModelFileReader, writing
from understudy.tables.schema import DatasetSchema
from understudy.transformers.array_reader import refuse, require


class Manifest(BaseModel):
    """What a model file says about itself.

    Parameters
    ----------
    extra : dict
        JSON that was saved beside the model, such as the seed of the split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int
    synthesizer: str
    schema_: DatasetSchema
    extra: Json


class SavedModel(NamedTuple):
    """A model file: the fitted synthesizer, and what the file says about itself."""

    synthesizer: Synthesizer
    manifest: Manifest


class _File(Protocol):
    """A model file of any format."""

    @property
    def format_version(self) -> int: ...

    @property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]: ...

    def json(self, name: str) -> Any: ...


@dataclass(frozen=True)
class _Reader:
    """What a synthesizer is loaded from."""

    file: _File
    schema: DatasetSchema

    @property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        return self.file.arrays

    def json(self, name: str) -> Any:  # Any: JSON from outside
        return self.file.json(name)


def save_model(synthesizer: Synthesizer, path: Path, *, extra: Json | None = None) -> None:
    """Write a fitted synthesizer; the same model gives the same bytes.

    Parameters
    ----------
    path : Path
        Replaced, if there is such a file.
    extra : dict
        JSON that is kept beside the model, such as the seed of the split.
    """
    with writing(path) as writer:
        manifest = {
            "synthesizer": synthesizer.name,
            "schema": synthesizer.schema_.model_dump(mode="json"),
            "extra": extra or {},
        }
        writer.json("manifest", manifest)
        synthesizer.save(writer)


def load_model(path: Path) -> SavedModel:
    """Return the fitted synthesizer of a model file, and what the file says about itself.

    Raises
    ------
    InvalidInput
        If the file was not written by `save_model`, or was damaged or tampered with.
    """
    file = _open(path)
    manifest = _manifest(file)
    loaded = SYNTHESIZERS[manifest.synthesizer].load().load(_Reader(file, manifest.schema_))
    return SavedModel(loaded, manifest)


def read_manifest(path: Path) -> Manifest:
    """Return what a model file says about itself, without loading the model; raises as `load_model`."""
    return _manifest(_open(path))


def _open(path: Path) -> _File:
    with path.open("rb") as file:
        is_format_2 = file.read(len(MAGIC)) == MAGIC
    return Format2Reader(path) if is_format_2 else ModelFileReader(path)


def _manifest(file: _File) -> Manifest:
    written = file.json("manifest")
    require(isinstance(written, dict), "its manifest is not an object")
    require(written.keys() == {"synthesizer", "schema", "extra"}, "its manifest is not whole")
    values = {"schema_" if name == "schema" else name: value for name, value in written.items()}
    try:
        manifest = Manifest.model_validate({"format_version": file.format_version, **values})
    except (ValidationError, InvalidInput) as error:
        raise refuse("its manifest is not valid") from error
    require(manifest.synthesizer in SYNTHESIZERS, "its synthesizer is unknown")
    return manifest
