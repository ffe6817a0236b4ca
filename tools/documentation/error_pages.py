"""Generate a page for each error code. The `type` of a problem is the URL of this page."""

from __future__ import annotations

import re

from understudy.errors import CODES

ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def error_pages(reference: str) -> dict[str, str]:
    """Return the pages of all error codes, keyed by path.

    Parameters
    ----------
    reference : str
        The text of `docs/reference/errors.md`, which contains tables of error codes.
    """
    return {f"reference/errors/{row[0]}.md": _page(*row) for row in ROW.findall(reference)}


def _page(code: str, status: str, meaning: str, remedy: str) -> str:
    return f"""\
# {CODES[code]}

| | |
|---|---|
| code | `{code}` |
| status | {status} |

## Meaning

{meaning}

## What to do

{remedy}

[Error codes](../errors.md) lists all codes and explains the fields of an error.
"""
