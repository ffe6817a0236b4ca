"""Tests for categories, booleans, coarse codes and level order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers import association, categorical
from understudy.transformers.association import order_levels
from understudy.transformers.base import N_CODES_MAX, Codes, RowStream, consecutive_rows
from understudy.transformers.boolean import fit_boolean
from understudy.transformers.categorical import CategoricalTransformer, cumulate, fit_categorical
from understudy.transformers.coarse_codes import fit_coarse
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table_fitting import fit_column


def stream_of(codes: Codes) -> RowStream:
    """Return the random stream for consecutive rows, starting at row 0."""
    return RowStream(seed=1, stream=2, rows=consecutive_rows(0, len(codes)))


def column_of(values: Any, kind: ColumnKind = ColumnKind.category) -> Column:
    return Column(name="x", kind=kind, arrow_type=str(values.type), nullable=values.null_count > 0)


def fit(values: Any) -> tuple[CategoricalTransformer, Any]:
    return fit_categorical(column_of(values), pa.chunked_array([values]))


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.int16(), pa.uint64()])
def test_shared_levels_are_restored_exactly(type_: pa.DataType) -> None:
    values = pa.array([["3", "1", None, "2", "3"][i % 5] for i in range(50)]).cast(type_)
    transformer, codes = fit(values)
    assert transformer.decode(codes, stream_of(codes)).equals(values)


def test_levels_are_ordered_by_frequency_and_then_by_text() -> None:
    transformer, _ = fit(pa.array(["b"] * 5 + ["a"] * 5 + ["c"] * 9))
    assert transformer.levels.to_pylist() == ["c", "a", "b"]


def test_levels_do_not_depend_on_the_order_of_rows() -> None:
    values = ["a"] * 7 + ["b"] * 7 + ["rare"]
    forward, backward = fit(pa.array(values))[0], fit(pa.array(values[::-1]))[0]
    assert forward.to_arrays()[0] == backward.to_arrays()[0]


def test_levels_are_merged_across_chunks() -> None:
    chunks = pa.chunked_array([["a"] * 5, ["b"] * 5, [], ["a", None]])
    transformer, codes = fit_categorical(column_of(chunks), chunks)
    assert transformer.decode(codes, stream_of(codes)).to_pylist() == chunks.to_pylist()


def test_pooled_values_are_replaced_with_levels_in_proportion_to_their_frequency() -> None:
    transformer, codes = fit(pa.array(["a"] * 90 + ["b"] * 10 + [f"rare {i}" for i in range(1000)]))
    drawn = transformer.decode(codes[100:], stream_of(codes[100:])).to_pylist()
    # The tolerance is six standard deviations of a share of 0.1 among 1,000 samples.
    assert abs(drawn.count("b") / 1000 - 0.1) < 0.06
    assert set(drawn) == {"a", "b"}


def test_all_levels_are_kept_if_there_are_more_levels_than_codes() -> None:
    values = [f"level {i}" for i in range(9000)] * 5 + ["most"] * 6 + ["rare"]
    transformer, codes = fit(pa.array(values))
    assert transformer.levels[0].as_py() == "most"
    arranged, new_code = transformer.arrange(np.arange(9001))
    assert arranged.n_codes <= N_CODES_MAX
    drawn = arranged.decode(new_code[codes], stream_of(codes)).to_pylist()
    assert set(drawn) <= set(values[:-1])
    # Two levels of five rows each share a code. The probability that a given level is never sampled is
    # 2**-10.
    assert len(set(drawn)) > 8900
    assert arranged.describe()["levels_kept"] == 9001


def test_groups_consist_of_adjacent_levels_and_have_almost_equal_mass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(categorical, "N_CODES_MAX", 12)
    transformer, codes = fit(pa.array([f"{i:03}" for i in range(100)] * 5 + [None, "rare"]))
    order = np.random.default_rng(0).permutation(100)
    arranged, new_code = transformer.arrange(order)
    assert arranged.first_level.tolist() == list(range(0, 100, 10))
    assert (arranged.n_codes, new_code[0], new_code[-1]) == (12, 0, 11)
    drawn = arranged.decode(new_code[codes], stream_of(codes)).to_pylist()
    place = {level: i for i, level in enumerate(arranged.levels.to_pylist())}
    expected = [place[f"{i:03}"] // 10 for i in range(100)] * 5
    assert [place[level] // 10 for level in drawn[:500]] == expected
    assert drawn[500] is None


def test_levels_of_too_few_subjects_are_pooled() -> None:
    values = pa.array(["often"] * 50 + ["few"] * 50 + ["known"] * 5)
    subjects = np.concatenate((np.arange(50), np.arange(50) % 4, np.arange(5)))
    transformer, _ = fit_categorical(column_of(values), pa.chunked_array([values]), subjects)
    assert transformer.levels.to_pylist() == ["often", "known"]
    assert transformer.describe()["rows_pooled"] == 50


def test_integer_labels_that_are_not_shared_are_learned_as_numbers() -> None:
    values = pa.array([i * i for i in range(100)])
    transformer, _ = fit_column(column_of(values), pa.chunked_array([values]))
    assert isinstance(transformer, NumericTransformer)


def test_column_whose_type_does_not_suit_its_kind_is_refused() -> None:
    values = pa.array(["1", "2"])
    with pytest.raises(
        InvalidInput, match="Column 'x' is stored as string, which is not compatible with the kind integer"
    ):
        fit_column(column_of(values, ColumnKind.integer), pa.chunked_array([values]))


def test_booleans_are_restored_exactly() -> None:
    for values in ([True, False, None], [True], [None], [False, True]):
        array = pa.array(values, pa.bool_())
        transformer, codes = fit_boolean(array)
        assert transformer.decode(codes, stream_of(codes)).to_pylist() == values
        assert transformer.n_codes == len(values)


def test_cumulative_probabilities_end_at_the_largest_integer() -> None:
    assert cumulate(np.array([1, 1, 2])).tolist() == [2**62, 2**63, 2**64 - 1]


def test_codes_that_fit_into_one_byte_are_not_grouped() -> None:
    assert fit_coarse(np.ones(256, np.int64)).tolist() == list(range(256))


def test_coarse_codes_have_almost_equal_mass() -> None:
    counts = np.random.default_rng(0).integers(1, 20, 5000)
    coarse = fit_coarse(counts)
    assert (np.diff(coarse.astype(int)) >= 0).all()
    mass = np.bincount(coarse, weights=counts)
    # The mass of a group differs from 1/256 of all rows by at most the largest count.
    assert len(mass) == 256
    assert np.abs(mass - counts.sum() / 256).max() <= 20


def test_levels_with_similar_values_in_other_columns_become_neighbors() -> None:
    rng = np.random.default_rng(0)
    group_of_level = rng.integers(0, 3, 30)
    levels = rng.integers(0, 30, 6000)
    noise = rng.integers(0, 5, 6000).astype(np.uint16)
    order = order_levels(levels, 30, [(noise, 5), (group_of_level[levels].astype(np.uint16), 3)])
    assert (np.diff(group_of_level[order]) >= 0).all()


def test_limited_memory_does_not_change_the_order_of_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    group_of_level = rng.integers(0, 40, 300)
    levels = rng.integers(-1, 302, 9000)
    noise = rng.integers(0, 5, 9000).astype(np.uint16)
    informative = group_of_level[np.clip(levels, 0, 299)].astype(np.uint16)
    expected = order_levels(levels, 300, [(noise, 5), (informative, 40)])
    monkeypatch.setattr(association, "N_CELLS_MAX", 300 * 8)
    assert order_levels(levels, 300, [(noise, 5), (informative, 40)]).tolist() == expected.tolist()
