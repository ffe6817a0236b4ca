"""The Jinja2 environment of the page: everything is escaped, and an unknown name is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from understudy.evaluation.page import formatting
from understudy.evaluation.page.outcomes import WORDS

if TYPE_CHECKING:
    from jinja2 import Environment

REPLACEMENT = "\ufffd"
FILTERS = (
    formatting.change,
    formatting.count,
    formatting.decimal,
    formatting.number,
    formatting.percent,
    formatting.plural,
    formatting.score,
    formatting.share,
    formatting.span,
)


def render(template: str, **values: object) -> str:
    """Return a template of this package, filled in."""
    return environment().get_template(template).render(values)


@cache
def environment() -> Environment:
    """Return the environment, whose templates are compiled once per process."""
    # Local: reports are computed and read in processes that never render one, and Jinja2 takes time to load.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("understudy.evaluation.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update({function.__name__: function for function in FILTERS})
    made.globals["OUTCOME_WORDS"] = WORDS
    return made


def printable(value: object) -> object:
    """Replace control characters and bidirectional marks in a text before it is escaped.

    Control characters do not exist in HTML; bidirectional marks could reorder the text around them.
    """
    if type(value) is not str or value.isprintable():
        return value
    return "".join(
        letter if letter.isprintable() or letter == formatting.NO_BREAK_SPACE else REPLACEMENT
        for letter in value
    )
