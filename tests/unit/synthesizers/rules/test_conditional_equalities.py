"""Tests for the order of conditional equalities."""

from __future__ import annotations

from itertools import combinations

from understudy.synthesizers.rules.conditional_equalities import acyclic
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Literal

CLOSED = Literal("status", 1)


def test_equalities_of_many_columns_are_ordered_in_polynomial_time() -> None:
    # There are 2**38 paths between the first and the last column, which is too many to visit.
    names = [f"month_{i}" for i in range(40)]
    found = [ConditionalEquality(CLOSED, later, earlier) for earlier, later in combinations(names, 2)]
    assert acyclic(found) == tuple(found)


def test_equality_that_closes_a_cycle_is_omitted() -> None:
    chain = [ConditionalEquality(CLOSED, "b", "a"), ConditionalEquality(CLOSED, "c", "b")]
    assert acyclic([*chain, ConditionalEquality(CLOSED, "a", "c")]) == tuple(chain)
    assert acyclic([*chain, ConditionalEquality(Literal("c", 1), "a", "d")]) == tuple(chain)
