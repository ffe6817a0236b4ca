"""Prevent pyarrow from importing pandas in processes that do not return DataFrames.

If pandas is installed, pyarrow imports it when it creates its first array. The import takes 0.3 s of CPU time
and 55 MB of memory in each process. The command line, the API and the sandbox use Arrow tables and do not
need pandas.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _PandasRefusal(MetaPathFinder):
    """A finder that makes pandas appear not to be installed."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not imported in this process", name="pandas")


@contextmanager
def without_pandas() -> Iterator[None]:
    """Prevent the import of pandas while the block runs. pyarrow then works without pandas."""
    refusal = _PandasRefusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
