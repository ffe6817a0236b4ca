"""Translate sampling constraints on split columns into constraints on the columns of their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from understudy.errors import InvalidInput
from understudy.parameters.constraints import ColumnConstraint, SampleCondition, SamplingConstraints
from understudy.synthesizers.json_cells.structure import ABSENT, NULL, PRESENT, Node
from understudy.synthesizers.number_texts import NumberColumn

if TYPE_CHECKING:
    from understudy.synthesizers.json_cells.columns import CellColumn

Where = dict[str, ColumnConstraint]


def translate(constraints: SamplingConstraints, cells: Mapping[str, CellColumn]) -> SamplingConstraints:
    """Return the constraints, translated into constraints on the columns of values.

    Constraints can also name the columns of values. A constraint on one of these columns implies that the
    keys on the path to its value are present.

    Parameters
    ----------
    cells : mapping of str to CellColumn
        Columns that are split, by name.

    Raises
    ------
    InvalidInput
        If a JSON column has a constraint other than `is_missing`, or a column of text with numbers has a
        constraint other than `is_missing` and `equals`.
    """
    if constraints.rebalance is not None and constraints.rebalance.column in cells:
        raise _refused(cells[constraints.rebalance.column])
    conditions = tuple(
        condition.model_copy(update={"where": _translated(condition, cells)})
        for condition in constraints.conditions
    )
    return constraints.model_copy(update={"conditions": conditions})


def _translated(condition: SampleCondition, cells: Mapping[str, CellColumn]) -> Where:
    where: Where = {}
    for name, constraint in condition.where.items():
        own = cells.get(name)
        if own is None:
            where |= _of_value(name, constraint, cells)
        elif isinstance(own, NumberColumn):
            where |= _of_numbers(own, constraint)
        else:
            where |= _of_json(name, constraint, own)
    # A constraint on a column takes precedence over the condition that a key is present.
    return where | {name: where_ for name, where_ in condition.where.items() if name not in cells}


def _of_json(name: str, constraint: ColumnConstraint, own: CellColumn) -> Where:
    assert not isinstance(own, NumberColumn)
    root = own.root
    if constraint.is_missing is None:
        raise _refused(own)
    if root.state is not None:
        states = (ABSENT,) if constraint.is_missing else (PRESENT, NULL)
        return {root.state: ColumnConstraint(one_of=states)}
    if root.column is not None:
        return {root.column: constraint}
    raise InvalidInput(
        f"Column {name!r} has no missing values in the model. Omit is_missing.",
        code="impossible_condition",
    )


def _of_numbers(own: NumberColumn, constraint: ColumnConstraint) -> Where:
    if constraint.is_missing is not None:
        return {own.form_column.name: constraint}
    if constraint.equals is None:
        raise _refused(own)
    form, numbers = own.read(str(constraint.equals))
    equal = zip(own.number_columns, numbers, strict=False)
    return {
        own.form_column.name: ColumnConstraint(equals=form),
        **{column.name: ColumnConstraint(equals=number) for column, number in equal},
    }


def _of_value(name: str, constraint: ColumnConstraint, cells: Mapping[str, CellColumn]) -> Where:
    """Return a constraint on a column of values, with the condition that the keys on its path are present."""
    for own in cells.values():
        if isinstance(own, NumberColumn):
            continue
        for path in _paths(own.root, ()):
            node = path[-1]
            if node.column != name:
                continue
            states = {above.state for above in path if above.state is not None}
            if constraint.is_missing and node.state is not None:
                return {node.state: ColumnConstraint(one_of=(ABSENT, NULL))}
            present = {state: ColumnConstraint(equals=PRESENT) for state in states}
            return {**({} if constraint.is_missing else present), name: constraint}
    return {name: constraint}


def _paths(node: Node, above: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    path = (*above, node)
    yield path
    for below in node.below():
        yield from _paths(below, path)


def _refused(own: CellColumn) -> InvalidInput:
    parts = ", ".join(repr(column.name) for column in own.columns[:10])
    content, allowed = (
        ("numbers and units", "equals and is_missing")
        if isinstance(own, NumberColumn)
        else ("JSON", "is_missing")
    )
    return InvalidInput(
        f"Column {own.column.name!r} contains {content}, so only {allowed} can constrain it. Constrain its "
        f"parts instead: {parts}.",
        code="invalid_parameters",
    )
