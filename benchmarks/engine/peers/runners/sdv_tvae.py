"""TVAE of SDV (BUSL-1.1: comparison only)."""

from __future__ import annotations

import pandas as pd
from measuring import Request, run
from sdv.single_table import TVAESynthesizer
from sdv_metadata import TABLE, metadata


def fit(request: Request) -> TVAESynthesizer:
    """Train with the defaults."""
    model = TVAESynthesizer(metadata(request))
    model.fit({TABLE: request.train})
    return model


def sample(model: TVAESynthesizer, n_rows: int) -> pd.DataFrame:
    """Sample rows."""
    drawn = model.sample(n_rows)
    return drawn[TABLE] if isinstance(drawn, dict) else drawn


if __name__ == "__main__":
    run(fit, sample)
