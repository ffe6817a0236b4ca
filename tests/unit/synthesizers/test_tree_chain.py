"""Tests for tree chain properties that are not part of the contract for all synthesizers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.one_table import fit
from tests.one_table import sample as draw
from tests.unit.synthesizers.tables import related_columns
from understudy.kernels import predictors
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import sample_table
from understudy.synthesizers.tree_chain import additive, predecessors
from understudy.synthesizers.tree_chain.presets import ATTACKED, PRESETS
from understudy.synthesizers.tree_chain.sampling import Drawing, draw_codes
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.base import NumberedRows, consecutive_rows


@pytest.fixture(scope="module")
def fitted() -> TreeChain:
    """Return a chain fitted on 6000 rows."""
    return fit(make(), *related_columns(6000))


@pytest.fixture(scope="module")
def sample(fitted: TreeChain) -> pa.Table:
    """Return 6000 sampled rows."""
    return draw(fitted, 6000, seed=1)


def make() -> TreeChain:
    return TreeChain(TreeChainParameters(name="tree_chain"))


def test_dependencies_between_categories_are_preserved(sample: pa.Table) -> None:
    cities = np.array(["Graz", "Linz", "Wien", "Zell"])[sample["n"].to_numpy() // 2]
    # In the table, n always determines the city. Leaves are smoothed, so up to 2% of the sampled rows can
    # differ.
    assert (cities == sample["city"].to_numpy()).mean() > 0.98


def test_levels_of_a_large_category_depend_on_other_columns(sample: pa.Table) -> None:
    first_words = np.array([text.split()[0] for text in sample["code"].to_pylist()])
    # Trees treat the 300 levels as an ordered scale on which similar levels are adjacent.
    assert (first_words == sample["city"].to_numpy()).mean() > 0.9


def test_correlation_of_numbers_is_preserved(sample: pa.Table) -> None:
    both = sample.filter(pc.is_valid(sample["y"]))
    # The correlation in the training table is 0.9988.
    assert np.corrcoef(both["x"].to_numpy(), both["y"].to_numpy())[0, 1] > 0.98


def test_share_of_missing_values_is_preserved(sample: pa.Table) -> None:
    # The tolerance is six standard deviations of the difference between two samples of 6000 rows at a share
    # of 0.1.
    assert abs(sample["y"].null_count / 6000 - 0.1) < 0.033


def test_marginal_distributions_are_preserved(sample: pa.Table) -> None:
    shares = np.bincount(sample["n"].to_numpy(), minlength=8) / 6000
    assert np.abs(shares - 1 / 8).max() < 0.04


@pytest.mark.parametrize("n_threads", [1, 3])
def test_result_does_not_depend_on_the_number_of_threads(n_threads: int) -> None:
    expected, got = (
        pa.Table.from_batches(
            sample_table(chain, plan_rows(chain.schema_, 140_000), context=SampleContext(3, n))
        )
        for n in (2, n_threads)
        for chain in [fit(make(), *related_columns(3000), context=FitContext(seed=0, n_threads=n))]
    )
    assert got.equals(expected)


def coarse_codes(n_rows: int) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, n_rows))
    y = x[0] - 0.5 * x[1] + 0.1 * rng.normal(size=n_rows)
    ranks = np.argsort(np.argsort(np.vstack([x, y]), axis=1), axis=1)
    return (ranks * 256 // n_rows).astype(np.uint8)


def test_additive_predictor_approximates_its_target() -> None:
    codes = coarse_codes(5000)
    moments = additive.fit_moments(codes, [True] * 3)
    half = np.zeros(5000, np.uint8)
    bins = additive.predict(additive.fit_predictor(moments, 2, np.arange(2), codes), codes, half)
    assert np.corrcoef(bins, codes[2])[0, 1] > 0.95


def test_counted_and_dense_gram_matrices_are_equal() -> None:
    codes = coarse_codes(5000)
    codes[1] //= 16
    values, column = additive.find_terms(codes, [True, False, True])
    counted = additive.counted_gram(codes, values, column)
    assert np.array_equal(counted, additive.dense_gram(codes, values, column))


def test_weights_equal_the_weights_of_ridge_regression() -> None:
    codes = coarse_codes(5000)
    moments = additive.fit_moments(codes, [True] * 3)
    used = np.flatnonzero(moments.column < 2)
    design = np.array([moments.values[t][codes[max(moments.column[t], 0)]] for t in used]).T
    target = moments.values[moments.target[2]][codes[2]]
    expected = np.linalg.solve(design.T @ design + np.eye(len(used)), design.T @ target)
    gram = np.ascontiguousarray(moments.gram[np.ix_(used, used)])
    products = np.ascontiguousarray(moments.gram[used, moments.target[2]])
    assert predictors.solve_ridge(gram, products, 1.0) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_unpredictable_column_has_no_predictor() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (3, 4000)).astype(np.uint8)
    moments = additive.fit_moments(codes, [True] * 3)
    assert additive.fit_predictor(moments, 2, np.arange(2), codes) is additive.NO_PREDICTOR


def wide_table(n_columns: int) -> tuple[pa.Table, TableSchema]:
    """Return a table of noise. The last column repeats the first column."""
    rng = np.random.default_rng(0)
    columns = {f"c{j}": rng.integers(0, 5, 1000) for j in range(n_columns - 1)}
    columns["last"] = columns["c0"]
    described = tuple(
        Column(name=name, kind=ColumnKind.integer, arrow_type="int64", nullable=False) for name in columns
    )
    schema = TableSchema(columns=described)
    return pa.table(columns).cast(schema.to_arrow()), schema


def test_dependencies_are_preserved_in_wide_tables() -> None:
    sample = draw(fit(make(), *wide_table(120)), 1000)
    assert (sample["c0"].to_numpy() == sample["last"].to_numpy()).mean() > 0.98


def test_cells_with_the_same_row_number_have_the_same_value(fitted: TreeChain) -> None:
    first, *others = (link.column for link in fitted.links_)
    rows, of_groups = consecutive_rows(0, 1000), np.arange(1000, dtype=np.uint64) // np.uint64(50)
    codes, _ = draw_codes(fitted.links_, Drawing(7, NumberedRows(rows, {first: of_groups})))
    plain, _ = draw_codes(fitted.links_, Drawing(7, NumberedRows(rows)))
    assert np.array_equal(codes[first], plain[first][of_groups])
    assert any((codes[j].reshape(20, 50) != codes[j][::50, None]).any() for j in others)


def test_given_codes_are_kept_and_other_columns_depend_on_them(fitted: TreeChain) -> None:
    names = fitted.schema_.tables["table"].names
    rows, city = NumberedRows(consecutive_rows(0, 1000)), names.index("city")
    given = {city: np.full(1000, 2, np.uint16)}
    codes, coarse = draw_codes(fitted.links_, Drawing(7, rows), given)
    position = [link.column for link in fitted.links_].index(city)
    assert (codes[city] == 2).all()
    assert (coarse[:, position] == fitted.links_[position].coarse[2]).all()


def test_most_informative_predecessors_are_chosen_in_wide_tables() -> None:
    groups = np.random.default_rng(0).integers(0, 16, (100, 500)).astype(np.uint8)
    groups[90] = groups[17]
    chosen = predecessors.choose_predecessors(groups, 90, np.ones(90, np.bool_))
    assert len(chosen) == predecessors.N_CHOSEN
    assert 17 in chosen
    assert 17 not in predecessors.choose_predecessors(groups, 90, np.arange(90) != 17)
    assert predecessors.choose_predecessors(groups, 64, np.ones(64, np.bool_)).tolist() == list(range(64))


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_card_contains_the_attack_score_of_its_preset(preset: str) -> None:
    chain = TreeChain(TreeChainParameters(name="tree_chain", preset=preset))  # type: ignore[arg-type]
    (limit,) = (text for text in fit(chain, *related_columns(200)).card()["not_promised"] if "attack" in text)
    assert f"of the preset `{preset}` " in limit
    assert f"a ROC AUC of {ATTACKED[preset][0]:.2f} on one public table" in limit
