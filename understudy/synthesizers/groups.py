"""How many rows the groups of a controlled sample have, and how many independent ones these are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from understudy.errors import InvalidInput
from understudy.parameters.constraints import ColumnRebalance, SamplingConstraints

# Below so many independent rows, a share of one half is told no better than to a tenth.
N_EFFECTIVE_MIN = 100
EFFECTIVE_SHARE_MIN = 0.1
# Row numbers are of 64 bits.
N_ROWS_LIMIT = 2**62


@dataclass(frozen=True)
class Group:
    """The rows of a condition, or of a value of a rebalanced column."""

    n_rows: int
    effective_sample_size: int


def count_rows(constraints: SamplingConstraints | None, n_rows: int | None, offset: int) -> int:
    """Return how many rows are asked for: all that the conditions have behind the offset, if it is not said.

    Raises
    ------
    InvalidInput
        If it is neither said nor follows from conditions, or if the conditions have fewer rows.
    """
    if constraints is None or not constraints.conditions:
        if n_rows is None:
            raise InvalidInput(
                "n_rows is missing: say how many rows to draw.", code="invalid_parameters", pointer="/n_rows"
            )
        return n_rows
    n_all = sum(condition.n_rows for condition in constraints.conditions)
    if n_all >= N_ROWS_LIMIT:
        raise InvalidInput(
            f"The conditions ask for {n_all:,} rows in all; they may ask for less than 2**62.",
            code="invalid_parameters",
            pointer="/conditions",
        )
    if offset >= n_all:
        raise InvalidInput(
            f"offset is {offset:,}; the conditions ask for {n_all:,} rows in all, so none are left.",
            code="invalid_parameters",
            pointer="/offset",
        )
    if n_rows is not None and n_rows > n_all - offset:
        raise InvalidInput(
            f"n_rows is {n_rows:,} and offset {offset:,}; the conditions ask for {n_all:,} rows in all."
            " Leave n_rows out, or raise the n_rows of the conditions.",
            code="invalid_parameters",
            pointer="/n_rows",
        )
    return n_all - offset if n_rows is None else n_rows


def describe_groups(
    constraints: SamplingConstraints, shares: Sequence[float], *, n_rows: int, offset: int
) -> list[Group]:
    """Return the groups of a sample.

    Parameters
    ----------
    shares : sequence of shape (n_groups,)
        How many independent rows a row of each group is worth, as `Synthesizer.effective_shares` says.
    n_rows, offset : int
        Which rows of all groups were drawn, as `count_rows` says.

    Notes
    -----
    Of a rebalanced column the numbers of rows are those asked for; what is drawn varies about them.
    """
    asked = (
        [round(n_rows * share.share) for share in constraints.rebalance.shares]
        if constraints.rebalance is not None
        else _drawn_of_conditions(constraints, n_rows, offset)
    )
    return [Group(n, round(n * share)) for n, share in zip(asked, shares, strict=True)]


def describe_weak_groups(constraints: SamplingConstraints, groups: Sequence[Group]) -> list[str]:
    """Return a sentence for each group whose rows repeat few of the model's answers."""
    return [
        f"{name}: {group.n_rows:,} rows are worth about {group.effective_sample_size:,} independent ones."
        " The model knows little of such rows: do not read fine detail out of them."
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
