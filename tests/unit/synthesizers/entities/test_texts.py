"""Tests that repeated texts, such as JSON, do not identify entities and stay valid."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import understudy


@pytest.mark.parametrize("n_times", [90, 400], ids=["category", "text"])
def test_repeated_json_stays_valid_and_determines_no_other_column(n_times: int) -> None:
    rng = np.random.default_rng(0)
    status = rng.choice([200, 404, 500], 1000)
    devices = rng.choice(["phone", "laptop"], 1000)
    texts = [
        json.dumps({"device": device, "milliseconds": int(time)})
        for device, time in zip(devices, rng.integers(1, n_times, 1000), strict=True)
    ]
    model = understudy.fit(pd.DataFrame({"status": status, "meta": texts}), synthesizer="fast", seed=1)
    assert model.card()["entities"] == []
    sampled = [json.loads(text) for text in model.sample(300, seed=1)["meta"]]
    assert all(value.keys() == {"device", "milliseconds"} for value in sampled)
