"""Exit of a process without finalization, during which DuckDB would print warnings."""

import atexit
import os

atexit.register(os._exit, 0)
