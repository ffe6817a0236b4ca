"""Tests for ahead-of-time kernel compilation."""

from __future__ import annotations

import subprocess
import sys

COUNT_COMPILED = """
from numba.core.dispatcher import Dispatcher
import gc
from understudy.kernels.compilation import compile_kernels
compile_kernels()
dispatchers = [o for o in gc.get_objects() if isinstance(o, Dispatcher)]
kernels = [k for k in dispatchers if k.py_func.__module__.startswith("understudy")]
print(sum(sum(k.stats.cache_misses.values()) for k in kernels), sum(bool(k.signatures) for k in kernels))
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=300
    ).stdout


def test_second_process_loads_kernels_from_the_cache() -> None:
    run("from understudy.kernels.compilation import compile_kernels; compile_kernels()")
    n_compiled, n_loaded = map(int, run(COUNT_COMPILED).split())
    assert (n_compiled, n_loaded >= 10) == (0, True)


def test_fit_and_sample_compile_no_kernels_after_ahead_of_time_compilation() -> None:
    code = """
import pyarrow as pa
from understudy.synthesizers import SYNTHESIZERS
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table
from understudy.tables.schema import Column, TableSchema
from numba.core.dispatcher import Dispatcher
import gc
columns = {"a": pa.array([i % 7 for i in range(300)]), "b": pa.array([f"{i % 3}" for i in range(300)]),
           "c": pa.array([i**0.5 for i in range(300)]), "d": pa.array([None, True, False] * 100)}
kinds = {"a": "integer", "b": "category", "c": "float", "d": "boolean"}
schema = TableSchema(columns=tuple(Column(name=n, kind=kinds[n], arrow_type=str(v.type), nullable=n == "d")
                              for n, v in columns.items()))
table = pa.table(columns).cast(schema.to_arrow())
for entry in SYNTHESIZERS.values():
    synthesizer = fit_table(entry.parameters(name=entry.name), table, schema, context=FitContext(seed=0))
    list(sample_table(synthesizer, plan_rows(synthesizer.schema_, 10), context=SampleContext(seed=0)))
dispatchers = [o for o in gc.get_objects() if isinstance(o, Dispatcher)]
kernels = [k for k in dispatchers if k.py_func.__module__.startswith("understudy")]
print([k.py_func.__name__ for k in kernels if sum(k.stats.cache_misses.values())])
"""
    run("from understudy.kernels.compilation import compile_kernels; compile_kernels()")
    assert run(code).strip() == "[]"


def test_registry_is_imported_without_numba() -> None:
    code = "import sys, understudy.synthesizers as s; assert s.SYNTHESIZERS; print('numba' in sys.modules)"
    assert run(code).strip() == "False"
