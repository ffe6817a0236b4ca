"""Groups in a constrained sample, with their row counts and effective sample sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from understudy.errors import InvalidInput
from understudy.parameters.constraints import ColumnRebalance, SamplingConstraints

# Minimum effective sample size. With 100 independent rows, the 95% margin of error for a share of 0.5 is 0.1.
N_EFFECTIVE_MIN = 100
EFFECTIVE_SHARE_MIN = 0.1
# Exclusive upper bound on the number of rows, because row numbers have 64 bits.
N_ROWS_LIMIT = 2**62


@dataclass(frozen=True)
class Group:
    """Size of a group of rows. A group belongs to a condition or to one value of a rebalanced column."""

    n_rows: int
    effective_sample_size: int


def count_rows(constraints: SamplingConstraints | None, n_rows: int | None, offset: int) -> int:
    """Return the number of rows to sample. By default, count all rows of the conditions after `offset`.

    Raises
    ------
    InvalidInput
        If `n_rows` is None and there are no conditions, or if the
        conditions request fewer than `offset + n_rows` rows.
    """
    if constraints is None or not constraints.conditions:
        if n_rows is None:
            raise InvalidInput(
                "n_rows is missing. Set it to the number of rows to sample.",
                code="invalid_parameters",
                pointer="/n_rows",
            )
        return n_rows
    n_all = sum(condition.n_rows for condition in constraints.conditions)
    if n_all >= N_ROWS_LIMIT:
        raise InvalidInput(
            f"The conditions request {n_all:,} rows in total. Reduce their n_rows to less than 2**62.",
            code="invalid_parameters",
            pointer="/conditions",
        )
    if offset >= n_all:
        raise InvalidInput(
            f"offset is {offset:,}, but the conditions request only {n_all:,} rows in total. Lower offset.",
            code="invalid_parameters",
            pointer="/offset",
        )
    if n_rows is not None and n_rows > n_all - offset:
        raise InvalidInput(
            f"n_rows is {n_rows:,} and offset is {offset:,}, but the conditions request only {n_all:,} rows "
            "in total. Omit n_rows, or raise the n_rows of the conditions.",
            code="invalid_parameters",
            pointer="/n_rows",
        )
    return n_all - offset if n_rows is None else n_rows


def describe_groups(
    constraints: SamplingConstraints, shares: Sequence[float], *, n_rows: int, offset: int
) -> list[Group]:
    """Return the sizes and effective sample sizes of the groups of a sample.

    Parameters
    ----------
    shares : sequence of float of shape (n_groups,)
        Effective share of each group; see `SupportsConstraints.effective_shares`.
    n_rows, offset : int
        Number of sampled rows (see `count_rows`), and index of the first row.

    Notes
    -----
    For a rebalanced column, the row counts are the requested counts. The sampled counts vary around these
    values.
    """
    n_rows_by_group = (
        [round(n_rows * share.share) for share in constraints.rebalance.shares]
        if constraints.rebalance is not None
        else _drawn_of_conditions(constraints, n_rows, offset)
    )
    return [Group(n, round(n * share)) for n, share in zip(n_rows_by_group, shares, strict=True)]


def describe_weak_groups(constraints: SamplingConstraints, groups: Sequence[Group]) -> list[str]:
    """Return a warning for each group with a small effective sample size."""
    return [
        f"{name}: the {group.n_rows:,} rows contain only as much information as about"
        f" {group.effective_sample_size:,} independent rows. The model learned little about this group, so do"
        " not rely on fine details."
        for name, group in zip(_names(constraints), groups, strict=True)
        if _is_weak(group)
    ]


def _drawn_of_conditions(constraints: SamplingConstraints, n_rows: int, offset: int) -> list[int]:
    counts = [condition.n_rows for condition in constraints.conditions]
    return [
        max(0, min(end, offset + n_rows) - max(end - count, offset))
        for end, count in zip(accumulate(counts), counts, strict=True)
    ]


def _names(constraints: SamplingConstraints) -> Iterator[str]:
    if constraints.rebalance is not None:
        yield from _names_of_shares(constraints.rebalance)
    else:
        for number, condition in enumerate(constraints.conditions, start=1):
            yield f"Condition {number} (on {', '.join(map(repr, condition.where))})"


def _names_of_shares(rebalance: ColumnRebalance) -> Iterator[str]:
    for number in range(1, len(rebalance.shares) + 1):
        yield f"Share {number} of {rebalance.column!r}"


def _is_weak(group: Group) -> bool:
    is_little = group.effective_sample_size < min(N_EFFECTIVE_MIN, group.n_rows)
    return is_little or group.effective_sample_size < group.n_rows * EFFECTIVE_SHARE_MIN
