"""Tests for validating sampling constraints."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from understudy.parameters.constraints import (
    ColumnConstraint,
    ColumnRebalance,
    SamplingConstraints,
    TargetShare,
)


@pytest.mark.parametrize("value", [True, False, 1, 0, -5, 2**63, 1.5, "yes", "off", "1", "", "2020-01-01"])
def test_value_keeps_its_type_in_a_round_trip_through_json(value: object):
    allowed = ColumnConstraint.model_validate({"equals": value})
    assert (type(allowed.equals), allowed.equals) == (type(value), value)
    assert ColumnConstraint.model_validate_json(allowed.model_dump_json()) == allowed


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "a\0b", [1]])
def test_values_that_cannot_be_stored_are_refused(value: object):
    with pytest.raises(ValidationError):
        ColumnConstraint.model_validate({"equals": value})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"equals": 1, "is_missing": False},
        {"equals": 1, "minimum": 0},
        {"one_of": [1, 2], "maximum": 3},
    ],
)
def test_column_constraint_needs_exactly_one_condition(fields: dict[str, object]):
    with pytest.raises(ValidationError, match="exactly one"):
        ColumnConstraint.model_validate(fields)


def test_ranges_can_be_open_at_either_end():
    assert ColumnConstraint(minimum=3).maximum is None
    assert ColumnConstraint(maximum=0).minimum is None


@pytest.mark.parametrize("shares", [[("a", 0.5)], [("a", 0.7), ("b", 0.4)], [("a", 0.5), ("a", 0.5)]])
def test_shares_must_have_different_values_and_add_up_to_1(shares: list[tuple[str, float]]):
    listed = tuple(TargetShare(value=value, share=share) for value, share in shares)
    with pytest.raises(ValidationError, match=r"add up to 1|listed only once"):
        ColumnRebalance(column="c", shares=listed)


def test_constraints_must_contain_conditions_or_a_rebalanced_column():
    with pytest.raises(ValidationError, match="either conditions or rebalance"):
        SamplingConstraints()
