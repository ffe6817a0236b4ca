"""Model files: what was not written by us is refused, and never reaches compiled code."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.synthesizers.tables import related_columns
from understudy.errors import Conflict, InvalidInput, TooLarge
from understudy.synthesizers import SYNTHESIZERS, files, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import load_model, save_model
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers import categorical

Parts = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module", params=list(SYNTHESIZERS))
def parts(request: pytest.FixtureRequest) -> Parts:
    """Return the manifest and arrays of a fitted model."""
    entry = SYNTHESIZERS[request.param]
    synthesizer = make_synthesizer(entry.parameters(name=entry.name), seed=0)  # type: ignore[arg-type]
    manifest, arrays = synthesizer.fit(*related_columns(1500)).to_arrays()
    return manifest, dict(arrays)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a fitted chain."""
    table, schema = related_columns(1500)
    path = tmp_path_factory.mktemp("models") / "model"
    entry = SYNTHESIZERS["tree_chain"]
    synthesizer = make_synthesizer(entry.parameters(name="tree_chain"), seed=0)  # type: ignore[arg-type]
    save_model(synthesizer.fit(table, schema), path, schema=schema)
    return path


def load_or_code(load: Callable[[], Synthesizer]) -> Synthesizer | str:
    """Return what was loaded, or the code of the refusal."""
    try:
        return load()
    except InvalidInput as error:
        return error.code


def is_refused(load: Callable[[], Synthesizer]) -> bool:
    """Load and draw; return whether the model was refused, at once or by its rows, rather than harmless."""
    loaded = load_or_code(load)
    if isinstance(loaded, str):
        assert loaded == "invalid_model_file"
        return True
    try:
        n_rows = sum(batch.num_rows for batch in loaded.sample(100, seed=0))
    except Conflict as error:
        # Whole in itself, but what it draws breaks its own rules.
        if error.code != "not_ready":
            raise
        return True
    assert n_rows == 100
    return False


def is_refused_as(name: str, manifest: dict[str, Any], arrays: dict[str, Any]) -> bool:
    """As `is_refused`, from parts."""
    return is_refused(lambda: SYNTHESIZERS[name].load().from_arrays(manifest, arrays))


def name_of(parts: Parts) -> str:
    name: str = parts[0]["parameters"]["name"]
    return name


def mutate_array(array: Any, rng: np.random.Generator) -> Any:
    """Return the array with one thing wrong."""
    choice = rng.integers(0, 5)
    if choice == 0 or not array.size:
        return array[: len(array) // 2]
    if choice == 1:
        return array.astype(rng.choice(["int64", "float64", "uint8", "int16"]))
    if choice == 2:
        return array.reshape(-1)[: max(array.size - 1, 1)]
    out = array.copy()
    info = np.finfo(out.dtype) if out.dtype.kind == "f" else np.iinfo(out.dtype)
    wild = [info.min, info.max, 0, 1, info.max // 2, float("nan") if out.dtype.kind == "f" else 2]
    place = rng.integers(0, out.size)
    out.reshape(-1)[place] = wild[rng.integers(0, len(wild))]
    return out


@pytest.mark.parametrize("seed", range(15))
def test_mutated_arrays_are_refused_or_harmless(parts: Parts, seed: int) -> None:
    rng = np.random.default_rng(seed)
    manifest, arrays = parts
    for name in rng.choice(sorted(arrays), 20):
        is_refused_as(name_of(parts), manifest, arrays | {name: mutate_array(arrays[name], rng)})


@pytest.mark.parametrize("seed", range(15))
def test_flipped_bits_of_arrays_are_refused_or_harmless(parts: Parts, seed: int) -> None:
    rng = np.random.default_rng(seed)
    manifest, arrays = parts
    for name in rng.choice([n for n in sorted(arrays) if arrays[n].size], 20):
        raw = bytearray(arrays[name].tobytes())
        for place in rng.integers(0, len(raw), 3):
            raw[place] ^= 1 << int(rng.integers(0, 8))
        flipped = np.frombuffer(bytes(raw), arrays[name].dtype).reshape(arrays[name].shape)
        is_refused_as(name_of(parts), manifest, arrays | {name: flipped})


def test_every_array_is_needed(parts: Parts) -> None:
    manifest, arrays = parts
    for name in arrays:
        rest = {n: a for n, a in arrays.items() if n != name}
        assert is_refused_as(name_of(parts), manifest, rest), name


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [p for key, part in inner for p in places(part, (*path, key))]


@pytest.mark.parametrize("wrong", [None, -1, 2**70, 1.5, "text", [], {}, True])
def test_mutated_manifests_are_refused_or_harmless(parts: Parts, wrong: Any) -> None:
    manifest, arrays = parts
    rng = np.random.default_rng(0)
    paths = places(manifest)
    for index in rng.choice(len(paths), min(len(paths), 60), replace=False):
        *way, last = paths[index]
        mutant = copy.deepcopy(manifest)
        target: Any = mutant
        for key in way:
            target = target[key]
        target[last] = wrong
        is_refused_as(name_of(parts), mutant, arrays)


def rewrite(model: Path, path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write the model with its members changed."""
    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def assert_file_refused(path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_model(path)
    assert caught.value.code == "invalid_model_file"


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" * 50])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    assert_file_refused(tmp_path / "model")


def test_truncated_files_are_refused(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "cut").write_bytes(data[: int(len(data) * share)])
        assert_file_refused(tmp_path / "cut")


def test_flipped_bytes_of_the_file_are_refused_or_harmless(model: Path, tmp_path: Path) -> None:
    data, rng = model.read_bytes(), np.random.default_rng(0)
    for place in rng.integers(0, len(data), 60):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        (tmp_path / "flipped").write_bytes(flipped)
        is_refused(lambda: load_model(tmp_path / "flipped")[0])


def test_a_pickle_is_never_read(model: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    path = rewrite(
        model, tmp_path / "m", lambda members: members.update({"link_0.child.npy": buffer.getvalue()})
    )
    assert_file_refused(path)


def test_a_header_that_claims_more_than_there_is_is_refused(model: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": (2**40,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    path = rewrite(
        model, tmp_path / "m", lambda members: members.update({"link_0.node.npy": buffer.getvalue()})
    )
    assert_file_refused(path)


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"format": 3, "model": {}}',
        b'{"format": 1, "model": {}}',
        b'{"format": 2, "synthesizer": "x"}',
        b"\xff",
    ],
)
def test_wrong_manifests_are_refused(model: Path, tmp_path: Path, manifest: bytes) -> None:
    path = rewrite(model, tmp_path / "m", lambda members: members.update({"manifest.json": manifest}))
    assert_file_refused(path)


def test_the_manifest_says_what_the_file_is(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["format"], manifest["synthesizer"]) == (2, "tree_chain")
    assert [column["name"] for column in manifest["schema"]["columns"]] == related_columns(10)[0].column_names


def test_a_missing_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing")


def test_loaded_models_draw_in_types_of_the_schema(model: Path) -> None:
    synthesizer, _ = load_model(model)
    batch = next(synthesizer.sample(10, seed=0))
    assert isinstance(batch, pa.RecordBatch)
    assert batch.schema.equals(related_columns(10)[0].schema)


def fitted_on_groups(monkeypatch: pytest.MonkeyPatch, name: str) -> Synthesizer:
    """Return a model of a category of more levels than codes."""
    monkeypatch.setattr(categorical, "N_CODES_MAX", 300)
    table = pa.table({"x": [f"{i:04}" for i in range(700)] * 5, "y": [i // 100 for i in range(700)] * 5})
    columns = tuple(
        Column(name=column, kind=kind, arrow_type=str(table[column].type), nullable=False)
        for column, kind in (("x", ColumnKind.category), ("y", ColumnKind.integer))
    )
    schema = TableSchema(columns=columns)
    synthesizer = make_synthesizer(SYNTHESIZERS[name].parameters(name=name), seed=0)  # type: ignore[arg-type]
    return synthesizer.fit(table.cast(schema.to_arrow()), schema)


@pytest.mark.parametrize("name", list(SYNTHESIZERS))
def test_groups_of_levels_are_loaded(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    synthesizer = fitted_on_groups(monkeypatch, name)
    loaded = type(synthesizer).from_arrays(*synthesizer.to_arrays())
    batch = next(synthesizer.sample(5000, seed=0))
    assert next(loaded.sample(5000, seed=0)).equals(batch)
    # Five thousand draws of 700 levels: one that is never drawn has a chance of 0.0008.
    assert len(batch["x"].unique()) > 690


@pytest.mark.parametrize("wrong", [[], [1], [0, 0], [0, 2, 1], [0, 699, 700], [-1, 0], list(range(9000))])
def test_groups_that_do_not_divide_the_levels_are_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: list[int]
) -> None:
    manifest, arrays = fitted_on_groups(monkeypatch, "tree_chain").to_arrays()
    first_level = {"transformer_0.first_level": np.array(wrong, np.int32)}
    assert is_refused_as("tree_chain", manifest, dict(arrays) | first_level)


def test_a_manifest_that_could_not_be_read_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synthesizer = fitted_on_groups(monkeypatch, "independent")
    monkeypatch.setattr(files, "MANIFEST_BYTES_MAX", 1000)
    with pytest.raises(TooLarge, match="room for 1,000"):
        save_model(synthesizer, tmp_path / "model", schema=related_columns(10)[1])
