"""py-synthpop (MIT), the Python port of the R package synthpop."""

from __future__ import annotations

import numpy as np
import pandas as pd
from measuring import Request, run
from synthpop import Synthpop

DTYPES = {
    "integer": "int",
    "float": "float",
    "boolean": "category",
    "timestamp": "float",
    "word": "category",
}


def fit(request: Request) -> Synthpop:
    """Train with the defaults: a classification or regression tree for each column."""
    frame = request.train.copy()
    dtypes = {name: DTYPES[kind] for name, kind in request.kinds.items()}
    for name, dtype in dtypes.items():
        if request.kinds[name] == "timestamp":
            # The trees need numbers, so times become nanoseconds, which pandas converts back to times.
            frame[name] = frame[name].astype("int64").astype("float64")
        elif dtype == "int" and frame[name].isna().any():
            dtypes[name] = "float"
        frame[name] = frame[name].astype(dtypes[name])
    np.random.seed(request.seed)
    model = Synthpop(seed=request.seed)
    model.fit(frame, dtypes)
    return model


def sample(model: Synthpop, n_rows: int) -> pd.DataFrame:
    """Sample rows."""
    return model.generate(n_rows)


if __name__ == "__main__":
    run(fit, sample)
