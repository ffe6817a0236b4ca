"""Tests that pandas is imported only by processes that return a DataFrame."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TRAINING = """
import sys
from understudy.cli import main
sys.argv = ["understudy", "fit", "table.csv", "-o", "model", "--synthesizer", "independent", "--seed", "1"]
try:
    main()
finally:
    assert "pyarrow" in sys.modules
    assert "pandas" not in sys.modules
"""
LATER = """
import pyarrow as pa
from understudy.pandas_import import without_pandas
with without_pandas():
    pa.array([1])
assert pa.table({"a": [1]}).to_pandas()["a"].tolist() == [1]
"""


def test_command_line_fits_without_pandas(tmp_path: Path):
    rows = "".join(f"{row},{row % 3}\n" for row in range(60))
    (tmp_path / "table.csv").write_text(f"a,b\n{rows}")
    done = subprocess.run([sys.executable, "-c", TRAINING], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pandas_can_be_imported_after_the_without_pandas_block():
    subprocess.run([sys.executable, "-c", LATER], check=True)
