"""Order for computing derived columns and applying conditional equalities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.value_rules import ValueRules


@dataclass(frozen=True)
class Step:
    """Computation of a column by a formula, or by the equalities that apply to some of its rows.

    Parameters
    ----------
    target : str
        Name of the column that is written.
    needs : frozenset of str
        Names of the columns that are read.
    formula : Formula, optional
        Formula, or None if equalities set the column.
    """

    target: str
    needs: frozenset[str]
    formula: Formula | None


def in_order(formulas: Sequence[Formula], values: ValueRules) -> list[Step] | None:
    """Return the steps in an order that completes every column before it is read, or None.

    The result is None if the steps depend on each other in a cycle.
    """
    waiting = [Step(own.target, frozenset(own.terms), own) for own in formulas]
    waiting += [Step(name, frozenset(values.needed_by(name)), None) for name in values.targets]
    ordered: list[Step] = []
    while waiting:
        computed = {step.target for step in waiting if step.formula is not None}
        written = {step.target for step in waiting}
        # A column is computed before its equalities are applied.
        ready = [
            step
            for step in waiting
            if step.needs.isdisjoint(written) and (step.formula is not None or step.target not in computed)
        ]
        if not ready:
            return None
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered
