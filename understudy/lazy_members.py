"""Import the members of a package on first use. A process then loads only the modules that it needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_members(package: str, *places: str) -> Callable[[str], Any]:
    """Return a `__getattr__` function for a package or module (PEP 562).

    Parameters
    ----------
    package : str
        Name of the package.
    places : str
        Location of each member, as `module:name`. For type checkers, the package also imports these names if
        `TYPE_CHECKING` is true.
    """
    modules = {name: module for module, _, name in (place.partition(":") for place in places)}

    def load(name: str) -> Any:  # `Any` is a class, a function or a constant.
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(modules[name]), name)
        # The package keeps the member, so each member is looked up only once.
        setattr(sys.modules[package], name, value)
        return value

    return load
