"""Tests that compare SplitMix64 with published outputs."""

from __future__ import annotations

import numpy as np

from understudy.tables.splitmix import mix64


def test_outputs_match_the_published_splitmix64() -> None:
    # These are the first outputs of the reference implementation for the seeds 0 and 1234567.
    states = np.array([0, 1234567], dtype=np.uint64)
    assert mix64(states).tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]
