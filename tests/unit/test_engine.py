"""The public names of the library."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import understudy
from understudy.errors import InvalidInput
from understudy.synthesizers import IndependentParameters
from understudy.synthesizers.base import Synthesizer
from understudy.tables.inference import infer_table

INDEPENDENT = IndependentParameters(name="independent")


def test_fit_sample_save_load_go_through(tmp_path: Path, small_table: pa.Table):
    model = understudy.fit(small_table, seed=1, synthesizer=INDEPENDENT)
    rows = understudy.sample(model, 30, seed=2)
    understudy.save(model, tmp_path / "model", schema=infer_table(small_table).schema)
    assert rows.schema.equals(small_table.schema)
    assert understudy.sample(understudy.load(tmp_path / "model"), 30, seed=2).equals(rows)


def test_a_path_does_for_a_table(tmp_path: Path, small_table: pa.Table):
    path = tmp_path / "table.parquet"
    pq.write_table(small_table, path)
    report = understudy.evaluate(path, small_table, seed=1)
    assert report.scores("column_shapes").synthetic.score == pytest.approx(1)


@pytest.fixture(scope="module")
def chain(small_table: pa.Table) -> Synthesizer:
    """Fit a synthesizer that takes a control."""
    return understudy.fit(small_table, seed=1)


def test_rows_are_drawn_as_asked(chain: Synthesizer):
    oslo = understudy.SampleCondition(where={"city": understudy.ColumnConstraint(equals="Oslo")}, n_rows=20)
    constraints = understudy.SamplingConstraints(conditions=(oslo,))
    rows = understudy.sample(chain, seed=2, constraints=constraints)
    assert rows.column("city").to_pylist() == ["Oslo"] * 20
    assert understudy.sample(chain, seed=2, offset=15, constraints=constraints).equals(rows.slice(15))


def test_a_column_is_rebalanced(chain: Synthesizer):
    shares = (understudy.TargetShare(value="Rome", share=1),)
    constraints = understudy.SamplingConstraints(
        rebalance=understudy.ColumnRebalance(column="city", shares=shares)
    )
    rows = understudy.sample(chain, 20, seed=2, constraints=constraints)
    assert rows.column("city").to_pylist() == ["Rome"] * 20


def test_without_conditions_the_rows_must_be_said(chain: Synthesizer):
    with pytest.raises(InvalidInput, match="n_rows is missing"):
        understudy.sample(chain, seed=2)


def test_a_table_is_completed(chain: Synthesizer, small_table: pa.Table):
    rows = understudy.impute(chain, small_table, seed=3, n_draws=2)
    assert rows.num_rows == 2 * small_table.num_rows
    assert sum(column.null_count for column in rows.columns) == 0


def test_every_public_name_is_there():
    assert all(getattr(understudy, name).__doc__ for name in understudy.__all__)


def test_import_loads_no_engine():
    code = "import sys, understudy; sys.exit('numpy' in sys.modules or 'pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = understudy.no_such_name
