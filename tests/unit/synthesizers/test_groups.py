"""Tests for group sizes and effective sample sizes in a constrained sample."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import InvalidInput
from understudy.parameters.constraints import (
    ColumnConstraint,
    ColumnRebalance,
    SampleCondition,
    SamplingConstraints,
    TargetShare,
)
from understudy.synthesizers.groups import Group, count_rows, describe_groups, describe_weak_groups


def conditions(*counts: int) -> SamplingConstraints:
    where = {"city": ColumnConstraint(equals="Oslo")}
    return SamplingConstraints(conditions=tuple(SampleCondition(where=where, n_rows=n) for n in counts))


def rebalance(*shares: float) -> SamplingConstraints:
    listed = tuple(TargetShare(value=f"v{j}", share=share) for j, share in enumerate(shares))
    return SamplingConstraints(rebalance=ColumnRebalance(column="city", shares=listed))


def test_n_rows_is_required_without_conditions():
    assert count_rows(None, 7, 100) == 7
    assert count_rows(rebalance(1.0), 7, 100) == 7
    with pytest.raises(InvalidInput, match="n_rows is missing") as caught:
        count_rows(rebalance(1.0), None, 0)
    assert caught.value.pointer == "/n_rows"


def test_conditions_determine_the_number_of_rows():
    assert count_rows(conditions(10, 20), None, 0) == 30
    assert count_rows(conditions(10, 20), None, 25) == 5
    assert count_rows(conditions(10, 20), 8, 22) == 8


@pytest.mark.parametrize(
    ("n_rows", "offset", "pointer"), [(31, 0, "/n_rows"), (9, 22, "/n_rows"), (None, 30, "/offset")]
)
def test_request_for_more_rows_than_the_conditions_define_is_refused(
    n_rows: int | None, offset: int, pointer: str
):
    with pytest.raises(InvalidInput, match="30 rows in total") as caught:
        count_rows(conditions(10, 20), n_rows, offset)
    assert (caught.value.code, caught.value.pointer) == ("invalid_parameters", pointer)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.data())
def test_groups_of_partial_samples_add_up_to_groups_of_the_whole_sample(
    counts: list[int], data: st.DataObject
):
    cut = data.draw(st.integers(0, sum(counts)))
    constraints, shares = conditions(*counts), [1.0] * len(counts)
    first = describe_groups(constraints, shares, n_rows=cut, offset=0)
    rest = describe_groups(constraints, shares, n_rows=sum(counts) - cut, offset=cut)
    assert [a.n_rows + b.n_rows for a, b in zip(first, rest, strict=True)] == counts
    assert sum(group.n_rows for group in first) == cut


def test_rebalanced_column_has_one_group_per_value():
    assert describe_groups(rebalance(0.75, 0.25), [1.0, 0.5], n_rows=1000, offset=7) == [
        Group(750, 750),
        Group(250, 125),
    ]


@pytest.mark.parametrize(
    ("n_rows", "effective_sample_size", "is_weak"),
    [(1000, 99, True), (1000, 100, False), (5000, 499, True), (50, 50, False), (50, 20, True), (0, 0, False)],
)
def test_groups_with_small_effective_sample_size_produce_a_warning(
    n_rows: int, effective_sample_size: int, is_weak: bool
):
    warnings = describe_weak_groups(conditions(n_rows or 1), [Group(n_rows, effective_sample_size)])
    assert bool(warnings) == is_weak
    assert all("Condition 1 (on 'city')" in warning and "Oslo" not in warning for warning in warnings)
