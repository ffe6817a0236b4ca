"""Loops on plain arrays, compiled by Numba. `tests/unit/kernels` contains slow reference implementations.

Kernels are compiled on the first call and cached beside the source. Numba detects a change of the file, but
not of a called function in another file, so remove the `__pycache__` of this folder after an edit.
"""
