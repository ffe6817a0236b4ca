"""Numba loops on plain arrays; every kernel has a slow twin in `tests/unit/kernels`.

Kernels are compiled when first called and cached beside the source. Numba notices a changed file, not a
changed callee in another file: after an edit here remove the `__pycache__` of this folder.
"""
