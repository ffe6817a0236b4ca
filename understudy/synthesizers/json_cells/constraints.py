"""Translate sampling constraints on columns of JSON texts to constraints on the columns of their values."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.errors import InvalidInput
from understudy.parameters.constraints import ColumnConstraint, SamplingConstraints
from understudy.synthesizers.json_cells.structure import ABSENT, NULL, PRESENT, Node


def translate(constraints: SamplingConstraints, roots: Mapping[str, Node]) -> SamplingConstraints:
    """Return constraints on the columns of values.

    Parameters
    ----------
    roots : mapping of str to Node
        Structure of each column of JSON texts.

    Raises
    ------
    InvalidInput
        If a constraint other than `is_missing` applies to a column of JSON texts.
    """
    if constraints.rebalance is not None and constraints.rebalance.column in roots:
        raise _refused(constraints.rebalance.column)
    conditions = tuple(
        condition.model_copy(
            update={"where": dict(_translated(*item, roots) for item in condition.where.items())}
        )
        for condition in constraints.conditions
    )
    return constraints.model_copy(update={"conditions": conditions})


def _translated(
    name: str, constraint: ColumnConstraint, roots: Mapping[str, Node]
) -> tuple[str, ColumnConstraint]:
    root = roots.get(name)
    if root is None:
        return name, constraint
    if constraint.is_missing is None:
        raise _refused(name)
    if root.state is not None:
        states = (ABSENT,) if constraint.is_missing else (PRESENT, NULL)
        return root.state, ColumnConstraint(one_of=states)
    if root.column is not None:
        return root.column, constraint
    raise InvalidInput(
        f"Column {name!r} has no missing values in the model. Omit is_missing.",
        code="impossible_condition",
    )


def _refused(name: str) -> InvalidInput:
    return InvalidInput(
        f"Column {name!r} contains JSON, so only is_missing can constrain it. Use is_missing, or constrain "
        "other columns.",
        code="invalid_parameters",
    )
