"""The public names of the library."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import understudy
from understudy.synthesizers import IndependentParameters
from understudy.tables.inference import infer_schema

INDEPENDENT = IndependentParameters(name="independent")


def test_fit_sample_save_load_go_through(tmp_path: Path, small_table: pa.Table):
    model = understudy.fit(small_table, seed=1, synthesizer=INDEPENDENT)
    rows = understudy.sample(model, 30, seed=2)
    understudy.save(model, tmp_path / "model", schema=infer_schema(small_table))
    assert rows.schema.equals(small_table.schema)
    assert understudy.sample(understudy.load(tmp_path / "model"), 30, seed=2).equals(rows)


def test_a_path_does_for_a_table(tmp_path: Path, small_table: pa.Table):
    path = tmp_path / "table.parquet"
    pq.write_table(small_table, path)
    report = understudy.evaluate(path, small_table, seed=1)
    assert report.scores("column_shapes").synthetic.score == pytest.approx(1)


def test_import_loads_no_engine():
    code = "import sys, understudy; sys.exit('numpy' in sys.modules or 'pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = understudy.no_such_name
