"""Loops on plain arrays, compiled by Numba. `tests/unit/kernels` contains slow reference implementations.

Kernels are compiled on the first call and cached beside the source. Numba detects changes to a kernel's file,
but not changes to functions that are called from other files. Therefore, remove the `__pycache__` folder in
this directory after an edit.
"""
