"""Tests that damaged model files and files of other formats are refused before compiled code uses them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from tests.one_table import Parts, batches_of, fit, sample
from tests.unit.synthesizers.tables import related_columns
from understudy.errors import Conflict, InvalidInput, TooLarge
from understudy.synthesizers import SYNTHESIZERS, make_synthesizer, model_files
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import load_model, read_manifest, save_model
from understudy.synthesizers.model_files import ModelFileReader, writing
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers import categorical


@pytest.fixture(scope="module", params=list(SYNTHESIZERS))
def parts(request: pytest.FixtureRequest) -> Parts:
    """Return the JSON values and the arrays of a fitted model."""
    return Parts.of(fitted(request.param))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a fitted chain."""
    path = tmp_path_factory.mktemp("models") / "model"
    save_model(fitted("tree_chain"), path)
    return path


def fitted(name: str) -> Synthesizer:
    """Return a fitted synthesizer."""
    return fit(make_synthesizer(SYNTHESIZERS[name].parameters(name=name)), *related_columns(1500))


def load_or_code(load: Callable[[], Synthesizer]) -> Synthesizer | str:
    """Return the loaded synthesizer, or the code of the error."""
    try:
        return load()
    except InvalidInput as error:
        return error.code


def is_refused(load: Callable[[], Synthesizer]) -> bool:
    """Return whether loading or sampling a model is refused. Otherwise, check the number of sampled rows."""
    loaded = load_or_code(load)
    if isinstance(loaded, str):
        assert loaded == "invalid_model_file"
        return True
    try:
        n_rows = sum(batch.num_rows for batch in batches_of(loaded, 100))
    except Conflict as error:
        # The file is consistent, but the sampled rows break the rules in the file.
        if error.code != "not_ready":
            raise
        return True
    assert n_rows == 100
    return False


def is_refused_as(parts: Parts) -> bool:
    """Return `is_refused` for a model that is given as a manifest and arrays."""
    return is_refused(lambda: SYNTHESIZERS[parts.name].load().load(parts))


def mutate_array(array: Any, rng: np.random.Generator) -> Any:
    """Return a copy of the array with one random error."""
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
    for name in rng.choice(sorted(parts.arrays), 20):
        changed = parts.arrays | {name: mutate_array(parts.arrays[name], rng)}
        is_refused_as(parts.changed(arrays=changed))


@pytest.mark.parametrize("seed", range(15))
def test_flipped_bits_of_arrays_are_refused_or_harmless(parts: Parts, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = parts.arrays
    for name in rng.choice([n for n in sorted(arrays) if arrays[n].size], 20):
        raw = bytearray(arrays[name].tobytes())
        for place in rng.integers(0, len(raw), 3):
            raw[place] ^= 1 << int(rng.integers(0, 8))
        flipped = np.frombuffer(bytes(raw), arrays[name].dtype).reshape(arrays[name].shape)
        is_refused_as(parts.changed(arrays=arrays | {name: flipped}))


def test_model_without_one_of_its_arrays_is_refused(parts: Parts) -> None:
    for name in parts.arrays:
        rest = {n: a for n, a in parts.arrays.items() if n != name}
        assert is_refused_as(parts.changed(arrays=rest)), name


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values nested in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [p for key, part in inner for p in places(part, (*path, key))]


@pytest.mark.parametrize("wrong", [None, -1, 2**70, 1.5, "text", [], {}, True])
def test_mutated_manifests_are_refused_or_harmless(parts: Parts, wrong: Any) -> None:
    rng = np.random.default_rng(0)
    paths = places(parts.model)
    for index in rng.choice(len(paths), min(len(paths), 60), replace=False):
        *way, last = paths[index]
        mutant = copy.deepcopy(parts.model)
        target: Any = mutant
        for key in way:
            target = target[key]
        target[last] = wrong
        is_refused_as(parts.changed(mutant))


def read_file(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the header and the data of a model file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def write_file(path: Path, header: Any, data: bytes) -> Path:
    """Write a model file with the given header and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def assert_file_refused(path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_model(path)
    assert caught.value.code == "invalid_model_file"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a model",
        b"PK\x05\x06" + bytes(18),
        b"PK\x03\x04" * 50,
        bytes(100),
        b"\xff" * 100,
        (2**62).to_bytes(8, "little") + b"{}",
        (90_000_000).to_bytes(8, "little") + b"[" * 1000,
    ],
)
def test_files_that_are_not_models_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    assert_file_refused(tmp_path / "model")


def test_truncated_files_are_refused(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "cut").write_bytes(data[: int(len(data) * share)])
        assert_file_refused(tmp_path / "cut")


def test_flipped_bytes_in_the_file_are_refused_or_harmless(model: Path, tmp_path: Path) -> None:
    data, rng = model.read_bytes(), np.random.default_rng(0)
    for place in rng.integers(0, len(data), 60):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        (tmp_path / "flipped").write_bytes(flipped)
        is_refused(lambda: load_model(tmp_path / "flipped").synthesizer)


def test_model_file_is_a_safetensors_file(model: Path) -> None:
    arrays = Parts.of(load_model(model).synthesizer).arrays
    with safe_open(model, framework="numpy") as file:
        assert file.metadata() == {"understudy_model": "3"}
        assert {name for name in file.keys() if not name.startswith("json/")} == arrays.keys()  # noqa: SIM118
        for name, array in arrays.items():
            assert file.get_tensor(name).tobytes() == array.tobytes()


def test_loaded_arrays_are_views_of_the_mapped_file(model: Path) -> None:
    reader = ModelFileReader(model)
    assert all(array.base is not None for array in reader.arrays.values() if array.size)
    assert all(array.flags.aligned and array.flags.writeable for array in reader.arrays.values())


def test_loaded_model_works_after_its_file_is_replaced_or_deleted(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(model.read_bytes())
    loaded = load_model(path).synthesizer
    before = sample(loaded, 50)
    save_model(fitted("independent"), path)
    assert sample(loaded, 50).equals(before)
    path.unlink()
    assert sample(loaded, 50).equals(before)


def first_array(header: dict[str, Any]) -> dict[str, Any]:
    """Return the header entry of a non-empty array."""
    entry: dict[str, Any] = next(
        e for n, e in header.items() if n.startswith("link") and e["data_offsets"][1] > e["data_offsets"][0]
    )
    return entry


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.update(dtype="O"),
        lambda entry: entry.update(dtype=7),
        lambda entry: entry.update(shape=[2**40]),
        lambda entry: entry.update(shape=[2**62, 2**62]),
        lambda entry: entry.update(shape=[-1]),
        lambda entry: entry.update(shape=[True]),
        lambda entry: entry.update(shape=[1] * 100),
        lambda entry: entry.update(shape=None),
        lambda entry: entry.update(data_offsets=[0, 2**62]),
        lambda entry: entry.update(data_offsets=[entry["data_offsets"][1], entry["data_offsets"][0]]),
        lambda entry: entry.update(data_offsets=[n + 8 for n in entry["data_offsets"]]),
        lambda entry: entry.update(data_offsets=[0]),
        lambda entry: entry.update(more=1),
        lambda entry: entry.pop("shape"),
    ],
)
def test_headers_that_do_not_match_the_data_are_refused(
    model: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    header, data = read_file(model)
    change(first_array(header))
    assert_file_refused(write_file(tmp_path / "m", header, data))


def test_trailing_data_is_refused(model: Path, tmp_path: Path) -> None:
    header, data = read_file(model)
    assert_file_refused(write_file(tmp_path / "m", header, data + bytes(8)))


def test_duplicate_array_names_are_refused(model: Path, tmp_path: Path) -> None:
    header, data = read_file(model)
    text = json.dumps(header)
    name, entry = next(iter(header.items()))
    twice = text[:-1] + f", {json.dumps(name)}: {json.dumps(entry)}" + "}"
    assert_file_refused(write_file(tmp_path / "m", twice.encode(), data))


@pytest.mark.parametrize("version", ["4", "2", "x", "9" * 1000, 3, None])
def test_unsupported_format_versions_are_refused(model: Path, tmp_path: Path, version: Any) -> None:
    header, data = read_file(model)
    header["__metadata__"] = {"understudy_model": version}
    assert_file_refused(write_file(tmp_path / "m", header, data))


def test_safetensors_files_without_a_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(save({"weights": np.zeros(4)}))
    assert_file_refused(tmp_path / "m")


@pytest.mark.parametrize("name", ["manifest", "model"])
@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff", b"null"])
def test_invalid_json_is_refused(tmp_path: Path, name: str, value: bytes) -> None:
    with writing(tmp_path / "m") as writer:
        manifest = {"synthesizer": "independent", "schema": {}, "extra": {}}
        for other in {"manifest", "model"} - {name}:
            writer.json(other, manifest)
        writer.array(f"json/{name}", np.frombuffer(value, np.uint8))
    assert_file_refused(tmp_path / "m")


def test_manifest_contains_version_and_synthesizer_and_schema(model: Path) -> None:
    manifest = read_manifest(model)
    assert (manifest.format_version, manifest.synthesizer) == (3, "tree_chain")
    assert manifest.schema_.tables["table"].names == related_columns(10)[0].column_names


def test_loading_a_missing_file_raises_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing")


def test_loaded_model_samples_columns_with_the_types_of_the_schema(model: Path) -> None:
    batch = next(batches_of(load_model(model).synthesizer, 10))
    assert isinstance(batch, pa.RecordBatch)
    assert batch.schema.equals(related_columns(10)[0].schema)


def fitted_on_groups(monkeypatch: pytest.MonkeyPatch, name: str) -> Synthesizer:
    """Return a model of a category with more levels than codes."""
    monkeypatch.setattr(categorical, "N_CODES_MAX", 300)
    table = pa.table({"x": [f"{i:04}" for i in range(700)] * 5, "y": [i // 100 for i in range(700)] * 5})
    columns = tuple(
        Column(name=column, kind=kind, arrow_type=str(table[column].type), nullable=False)
        for column, kind in (("x", ColumnKind.category), ("y", ColumnKind.integer))
    )
    schema = TableSchema(columns=columns)
    synthesizer = make_synthesizer(SYNTHESIZERS[name].parameters(name=name))
    return fit(synthesizer, table.cast(schema.to_arrow()), schema)


@pytest.mark.parametrize("name", list(SYNTHESIZERS))
def test_grouped_levels_survive_save_and_load(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    synthesizer = fitted_on_groups(monkeypatch, name)
    loaded = type(synthesizer).load(Parts.of(synthesizer))
    batch = next(batches_of(synthesizer, 5000))
    assert next(batches_of(loaded, 5000)).equals(batch)
    # The probability that a given level does not occur in 5000 samples from 700 levels is 0.0008.
    assert len(batch["x"].unique()) > 690


@pytest.mark.parametrize("wrong", [[], [1], [0, 0], [0, 2, 1], [0, 699, 700], [-1, 0], list(range(9000))])
def test_invalid_groups_of_levels_are_refused(monkeypatch: pytest.MonkeyPatch, wrong: list[int]) -> None:
    parts = Parts.of(fitted_on_groups(monkeypatch, "tree_chain"))
    first_level = {"transformer_0.first_level": np.array(wrong, np.int32)}
    assert is_refused_as(parts.changed(arrays=parts.arrays | first_level))


def test_manifest_that_is_too_large_to_be_read_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synthesizer = fitted_on_groups(monkeypatch, "independent")
    monkeypatch.setattr(model_files, "JSON_BYTES_MAX", 1000)
    with pytest.raises(TooLarge, match="more than the 1,000 bytes"):
        save_model(synthesizer, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def fitted_on_codes() -> Synthesizer:
    """Return a chain fitted on a code with rare levels, its label, and a column that the code determines."""
    level = np.random.default_rng(1).integers(0, 200, 900)
    table = pa.table(
        {
            "code": [f"K{i:03}" for i in level],
            "label": [f"Kit {i}" for i in level],
            "family": [f"F{i % 3}" for i in level],
        }
    )
    columns = tuple(
        Column(name=name, kind=ColumnKind.category, arrow_type="string", nullable=False)
        for name in table.column_names
    )
    schema = TableSchema(columns=columns)
    synthesizer = make_synthesizer(SYNTHESIZERS["tree_chain"].parameters(name="tree_chain"))
    return fit(synthesizer, table.cast(schema.to_arrow()), schema)


def test_damaged_codes_and_labels_are_refused() -> None:
    parts = Parts.of(fitted_on_codes())
    assert not is_refused_as(parts)
    code, label, _ = parts.model["columns"]
    n = len(code["levels"])
    assert (label["transformer"], label["label_of"], len(label["labels"])) == ("label", 0, n + 1)
    wrong_columns: list[tuple[int, dict[str, Any]]] = [
        (0, {"n_made_up": n + 1}),
        (0, {"n_made_up": code["n_made_up"] - 1}),
        (0, {"n_made_up": "1"}),
        (1, {"label_of": 1}),
        (1, {"label_of": 3}),
        (1, {"label_of": None}),
        (1, {"labels": label["labels"][:-1]}),
        (1, {"labels": [1] * (n + 1)}),
    ]
    for place, change in wrong_columns:
        columns = list(parts.model["columns"])
        columns[place] = columns[place] | change
        assert is_refused_as(parts.changed(model=parts.model | {"columns": columns})), change
    tables = [name for name in parts.arrays if name.startswith("rules.level_table_")]
    assert len(tables) == 2
    for name in tables:
        for wrong in (parts.arrays[name][:-1], parts.arrays[name] + np.uint16(9000)):
            assert is_refused_as(parts.changed(arrays=parts.arrays | {name: wrong}))
    rules = parts.model["rules"]
    for pairs in ([], [{"of": 1, "by": 1}] * 2, [{"of": 0, "by": 1}] * 2, [{"of": 9, "by": 0}] * 2):
        changed = {"rules": rules | {"level_tables": pairs}}
        assert is_refused_as(parts.changed(model=parts.model | changed))
