"""Keep pandas out of processes that hand out no frames.

pyarrow imports pandas when it makes its first array, if pandas is installed: 0.3 s of CPU time and 55 MB of
memory in each process. The command line, the API and the sandbox work on Arrow tables and need none of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _PandasRefusal(MetaPathFinder):
    """Answer the search for pandas as if it were not installed."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not imported in this process", name="pandas")


@contextmanager
def without_pandas() -> Iterator[None]:
    """Refuse to import pandas while the block runs; pyarrow then does without it."""
    refusal = _PandasRefusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
