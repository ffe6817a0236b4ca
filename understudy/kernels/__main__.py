"""``python -m understudy.kernels``: compile and cache all kernels. Run it once after installation."""

from __future__ import annotations

from understudy.kernels.compilation import compile_kernels

if __name__ == "__main__":
    compile_kernels()
