"""The pages of error codes, one for each code, to which the `type` of a problem refers."""

from __future__ import annotations

import re

from understudy.errors import CODES

ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def error_pages(reference: str) -> dict[str, str]:
    """Return the page of each error code by its path.

    Parameters
    ----------
    reference : str
        The text of `docs/reference/errors.md`, whose tables contain the codes.
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
