"""The Jinja2 environment of the page: it escapes all values and raises an error for undefined names."""

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
    """Render a template of this package with the given values."""
    return environment().get_template(template).render(values)


@cache
def environment() -> Environment:
    """Return the environment, which compiles each template once per process."""
    # Local import: Jinja2 is slow to load, and most processes that compute or read reports never render one.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    jinja = Environment(
        loader=PackageLoader("understudy.evaluation.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    jinja.filters.update({function.__name__: function for function in FILTERS})
    jinja.globals["OUTCOME_WORDS"] = WORDS
    return jinja


def printable(value: object) -> object:
    """Replace control characters and bidirectional marks in a string before it is escaped.

    Control characters are not allowed in HTML, and bidirectional marks could reorder the text around them.
    """
    if type(value) is not str or value.isprintable():
        return value
    return "".join(
        letter if letter.isprintable() or letter == formatting.NO_BREAK_SPACE else REPLACEMENT
        for letter in value
    )
