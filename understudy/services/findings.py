"""The findings of `understudy doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Parameters
    ----------
    is_fault : bool
        Whether jobs or requests fail until the problem is solved. Otherwise, `remedy` is a recommendation.
    remedy : str, optional
        Action that solves the problem. None if there is no problem.
    """

    check: str
    detail: str
    is_fault: bool = False
    remedy: str | None = None
