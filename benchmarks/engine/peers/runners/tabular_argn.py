"""TabularARGN of mostlyai-engine (Apache-2.0)."""

from __future__ import annotations

import pandas as pd
from measuring import Request, run
from mostlyai.engine import TabularARGN


def fit(request: Request) -> TabularARGN:
    """Train until early stopping, or until the time limit."""
    model = TabularARGN(max_training_time=request.minutes_max, random_state=request.seed)
    return model.fit(request.train)


def sample(model: TabularARGN, n_rows: int) -> pd.DataFrame:
    """Sample rows."""
    return model.sample(n_samples=n_rows)


if __name__ == "__main__":
    run(fit, sample)
