"""The kernel of nearest rows against its slow twin."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.kernels.nearest import BLOCK, nearest_distances


@pytest.mark.parametrize(("n_numbers", "n_codes"), [(3, 2), (0, 2), (3, 0)])
def test_kernel_agrees_with_its_slow_twin(n_numbers: int, n_codes: int) -> None:
    rng = np.random.default_rng(0)
    n_others = BLOCK + 17
    numbers = [rng.random((n, n_numbers), dtype=np.float32) * 2 for n in (5, n_others)]
    codes = [rng.integers(-1, 3, (n, n_codes)).astype(np.int32) for n in (5, n_others)]
    slow = [
        min(
            np.minimum(1, np.abs(numbers[0][i] - numbers[1][j])).sum() + (codes[0][i] != codes[1][j]).sum()
            for j in range(n_others)
        )
        for i in range(5)
    ]
    others = [np.ascontiguousarray(part[1].T) for part in (numbers, codes)]
    found = nearest_distances(numbers[0], codes[0], *others)
    # Sums of at most five 32-bit floats.
    np.testing.assert_allclose(found, slow, atol=1e-6)
