"""Ends a process without its finalisation, in which DuckDB prints all that is still loaded."""

import atexit
import os

atexit.register(os._exit, 0)
