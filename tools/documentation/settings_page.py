"""The page of settings, generated from the fields of `Settings`."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tools.documentation.markdown import code, table, text
from understudy.settings import GIBIBYTE, MEBIBYTE, Settings

INTRODUCTION = """\
# Settings

Each process reads its settings from environment variables when it starts. There is no configuration file.
`.env.example` lists the same variables for Docker Compose.
The commands that work on files need no variables: `understudy fit`, `sample`, `impute`, `evaluate`, `verify`.
"""
# Defaults that depend on the machine, in words.
COMPUTED_DEFAULTS = {
    "data_dir": "`~/.local/share/understudy`; for root, `/var/lib/understudy`",
    "worker_concurrency": "the number of CPU cores",
}
DURATIONS = ((86400, "day"), (3600, "hour"), (60, "minute"))
SIZES = ((GIBIBYTE, "GiB"), (MEBIBYTE, "MiB"), (1 << 10, "KiB"))


def settings_page() -> str:
    """Return the page that lists every setting."""
    rows = [
        (code(f"UNDERSTUDY_{name.upper()}"), default_of(name, field), _description(name, field))
        for name, field in Settings.model_fields.items()
    ]
    return f"{INTRODUCTION}\n{table(('Variable', 'Default', 'Description'), rows)}"


def default_of(name: str, field: FieldInfo) -> str:
    """Return the default of a setting in words."""
    if field.default_factory is not None:
        return COMPUTED_DEFAULTS[name]
    if field.default is None:
        return "not set"
    if isinstance(field.default, tuple):
        return code(",".join(map(str, field.default))) if field.default else "empty"
    assert not isinstance(field.default, SecretStr)
    readable = in_words(name, field.default)
    return code(field.default) + (f" ({readable})" if readable else "")


def in_words(name: str, value: object) -> str:
    """Return a size or a duration in its largest whole unit, or an empty string for other numbers."""
    units = SIZES if "_bytes" in name else DURATIONS if name.endswith("_seconds") else ()
    if name.endswith("_seconds_max"):
        units = DURATIONS
    for size, unit in units:
        if isinstance(value, int | float) and value >= size and value % size == 0:
            number = f"{value // size:g}"
            plural = "s" if units is DURATIONS and number != "1" else ""
            return f"{number} {unit}{plural}"
    return ""


def _description(name: str, field: FieldInfo) -> str:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    allowed = f"One of {', '.join(map(code, choices))}." if choices else ""
    limits = _limits(name, field)
    return " ".join(filter(None, (text(field.description or ""), limits, allowed)))


def _limits(name: str, field: FieldInfo) -> str:
    """Return the bounds of a number in words."""
    bounds = {
        type(constraint): in_words(name, bound) or str(bound)
        for constraint in field.metadata
        if isinstance(constraint, Ge | Gt | Le)
        for bound in [getattr(constraint, type(constraint).__name__.lower())]
    }
    if Ge in bounds and Le in bounds:
        return f"From {bounds[Ge]} to {bounds[Le]}."
    words = {Ge: "At least", Gt: "More than", Le: "At most"}
    return "".join(f"{words[kind]} {bound}." for kind, bound in bounds.items())
