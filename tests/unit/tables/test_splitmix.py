"""SplitMix64 against published figures."""

from __future__ import annotations

import numpy as np

from understudy.tables.splitmix import mix64


def test_mix_is_splitmix64() -> None:
    # The first outputs of the published SplitMix64 for the seeds 0 and 1234567.
    states = np.array([0, 1234567], dtype=np.uint64)
    assert mix64(states).tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]
