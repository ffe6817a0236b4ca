"""Saving and loading of fitted synthesizers. Model files contain no pickle, so loading executes no code."""

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
    """Metadata of a model file.

    Parameters
    ----------
    format_version : int
        Version of the file format.
    synthesizer : str
        Name of the synthesizer.
    schema_ : DatasetSchema
        Schema that the model was fitted with.
    extra : dict
        JSON that was saved with the model, such as the seed of the split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int
    synthesizer: str
    schema_: DatasetSchema
    extra: Json


class SavedModel(NamedTuple):
    """Content of a model file: the fitted synthesizer and the manifest."""

    synthesizer: Synthesizer
    manifest: Manifest


class _File(Protocol):
    """An open model file of any format version."""

    @property
    def format_version(self) -> int: ...

    @property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]: ...

    def json(self, name: str) -> Any: ...


@dataclass(frozen=True)
class _Reader:
    """The `ModelReader` of a model file."""

    file: _File
    schema: DatasetSchema

    @property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        return self.file.arrays

    def json(self, name: str) -> Any:  # Any: untrusted JSON
        return self.file.json(name)


def save_model(synthesizer: Synthesizer, path: Path, *, extra: Json | None = None) -> None:
    """Write a fitted synthesizer to a file. The same model gives the same bytes.

    Parameters
    ----------
    path : Path
        Path of the model file. An existing file is replaced.
    extra : dict, optional
        JSON to save with the model, such as the seed of the split.
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
    """Load the fitted synthesizer and the manifest of a model file.

    Raises
    ------
    InvalidInput
        If `save_model` did not write the file, or if the file was damaged or modified.
    """
    file = _open(path)
    manifest = _manifest(file)
    loaded = SYNTHESIZERS[manifest.synthesizer].load().load(_Reader(file, manifest.schema_))
    return SavedModel(loaded, manifest)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest without loading the model, and raise the same errors as `load_model`."""
    return _manifest(_open(path))


def _open(path: Path) -> _File:
    with path.open("rb") as file:
        is_format_2 = file.read(len(MAGIC)) == MAGIC
    return Format2Reader(path) if is_format_2 else ModelFileReader(path)


def _manifest(file: _File) -> Manifest:
    written = file.json("manifest")
    require(isinstance(written, dict), "its manifest is not an object")
    require(
        written.keys() == {"synthesizer", "schema", "extra"}, "its manifest has missing or unknown fields"
    )
    values = {"schema_" if name == "schema" else name: value for name, value in written.items()}
    try:
        manifest = Manifest.model_validate({"format_version": file.format_version, **values})
    except (ValidationError, InvalidInput) as error:
        raise refuse("its manifest is not valid") from error
    require(manifest.synthesizer in SYNTHESIZERS, "its synthesizer is unknown")
    return manifest
