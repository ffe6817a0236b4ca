"""Selection of the rules that a synthesizer can enforce if columns are sampled once for each entity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from understudy.synthesizers.entities import steps
from understudy.synthesizers.entities.groups import ROWS, Entities
from understudy.synthesizers.rules import Rules, find_rules
from understudy.synthesizers.rules.fixed_combinations import FixedCombination
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.rules.inequalities import Inequality
from understudy.synthesizers.rules.missingness import Missingness
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Implication

if TYPE_CHECKING:
    from understudy.synthesizers.entities.detection import FoundGroup

Rule: TypeAlias = (
    FunctionalDependency
    | FixedCombination
    | Formula
    | Inequality
    | Missingness
    | Implication
    | ConditionalEquality
)


def restrict_rules(rules: Rules, entities: Entities, names: Sequence[str]) -> Rules:
    """Return the rules that can be enforced when an entity's columns are sampled once for all its rows.

    A column of an entity is not derived from columns of single rows. Columns of unrelated entities, such as
    customers and IP addresses, are sampled independently, so there are no rules between them.

    Parameters
    ----------
    rules : Rules
        Rules of the table.
    entities : Entities
        Entities of the table.
    names : sequence of str
        Names of the table's columns.
    """
    if not entities.groups:
        return rules
    view = _View(entities, {name: j for j, name in enumerate(names)})
    bases = {own.name: own.base for own in rules.differences}

    def is_derivable(rule: Formula | ConditionalEquality) -> bool:
        _, *others = _columns_of(rule)
        return view.sees(rule.target, (bases.get(name, name) for name in others))

    rules = _keep_formulas(rules, is_derivable)
    equalities = tuple(rule for rule in rules.value_rules.equalities if is_derivable(rule))
    rules = replace(rules, value_rules=replace(rules.value_rules, equalities=equalities))
    targets = set(rules.derived)
    differences = tuple(own for own in rules.differences if own.target in targets)
    ratios = tuple(own for own in rules.ratios if own.target in targets)
    kept_names = {own.name for own in differences} | {own.name for own in ratios}
    hidden = {own.name for own in rules.measured} - kept_names
    columns = tuple(column for column in rules.schema.columns if column.name not in hidden)
    # Many rules have the same columns.
    are_related = cache(view.are_related)
    kept = _keep(rules, lambda rule: are_related(_columns_of(rule)))
    schema = rules.schema.model_copy(update={"columns": columns})
    return replace(kept, schema=schema, differences=differences, ratios=ratios)


def rules_beyond_repeats(rules: Rules, rows: pa.Table, entities: Entities, found: list[FoundGroup]) -> Rules:
    """Return the rules that do not merely result from the repetition of values within an entity.

    A rule between columns of entities must be significant among the entities. Otherwise, a birth date that
    only one customer has would seem to determine the customer's other columns, because all of the customer's
    rows repeat the same values.

    Parameters
    ----------
    rules : Rules
        Rules that hold in all rows. Differences are not included.
    rows : pyarrow.Table of shape (n_rows, n_columns)
        Rows of the table, in all columns.
    entities : Entities
        Entities of the table.
    found : list of FoundGroup
        Entity of each row, for each group.
    """
    view = _View(entities, {name: j for j, name in enumerate(rows.column_names)})
    significant: dict[int, set[tuple[object, ...]]] = {ROWS: set()}
    for g, own in enumerate(found):
        names = [name for name in rules.schema.names if view.belongs(name, g)]
        if len(names) > 1:
            some = rows.select(names).take(pa.array(steps.first_rows_of(own.entities), pa.int64()))
            significant[g] = set(map(_key, _all_rules(find_rules(some, rules.schema.select(names)))))

    def is_kept(rule: Rule) -> bool:
        g = view.finest(_columns_of(rule))
        return g == ROWS or _key(rule) in significant.get(g, set())

    return _keep_formulas(_keep(rules, is_kept), is_kept)


def without_columns(rules: Rules, names: set[str]) -> Rules:
    """Return the rules that do not involve the given columns. Formulas with these columns are kept."""
    return _keep(rules, lambda rule: names.isdisjoint(_columns_of(rule)))


@dataclass(frozen=True)
class _View:
    """Permitted dependencies between the columns of a table. Columns are given by name.

    Columns outside the table, such as differences, belong to no entity.
    """

    entities: Entities
    place: dict[str, int] = field(default_factory=dict)

    def sees(self, name: str, others: Iterable[str]) -> bool:
        """Return whether a column may depend on all other columns."""
        known = (self.place[other] for other in others if other in self.place)
        return all(self.entities.sees(self.place[name], other) for other in known)

    def are_related(self, names: Sequence[str]) -> bool:
        """Return whether one of the columns may depend on all other columns."""
        return any(self.sees(name, names) for name in names)

    def belongs(self, name: str, g: int) -> bool:
        """Return whether a column has the same value in all rows of an entity."""
        own = self.entities.group_of.get(self.place[name], ROWS)
        return own == g or own in self.entities.coarser(g)

    def finest(self, names: Sequence[str]) -> int:
        """Return the group with entities that determine all columns, or `ROWS`."""
        groups = [self.entities.group_of.get(self.place[name], ROWS) for name in names]
        return min(groups, default=ROWS)


def _columns_of(rule: Rule) -> tuple[str, ...]:
    match rule:
        case FunctionalDependency():
            return rule.determinant, rule.dependent
        case FixedCombination():
            return rule.columns
        case Implication():
            return rule.condition.column, rule.consequence.column
        case ConditionalEquality():
            return rule.target, rule.source, rule.condition.column
        case Inequality():
            return rule.low, rule.high
        case Missingness():
            return rule.first, rule.second
        case _:
            return rule.target, *rule.terms


def _key(rule: Rule) -> tuple[object, ...]:
    return type(rule), *_columns_of(rule)


def _all_rules(rules: Rules) -> Iterator[Rule]:
    yield from rules.functional_dependencies
    yield from rules.fixed_combinations
    yield from rules.formulas
    yield from rules.value_rules.implications
    yield from rules.value_rules.equalities
    yield from rules.inequalities
    yield from rules.missingness


def _keep(rules: Rules, is_kept: Callable[[Rule], bool]) -> Rules:
    """Return all formulas, and the other rules that satisfy a condition."""
    value_rules = replace(
        rules.value_rules,
        implications=tuple(rule for rule in rules.value_rules.implications if is_kept(rule)),
        equalities=tuple(rule for rule in rules.value_rules.equalities if is_kept(rule)),
    )
    return replace(
        rules,
        value_rules=value_rules,
        functional_dependencies=tuple(rule for rule in rules.functional_dependencies if is_kept(rule)),
        fixed_combinations=tuple(rule for rule in rules.fixed_combinations if is_kept(rule)),
        inequalities=tuple(rule for rule in rules.inequalities if is_kept(rule)),
        missingness=tuple(rule for rule in rules.missingness if is_kept(rule)),
    )


def _keep_formulas(rules: Rules, is_kept: Callable[[Formula], bool]) -> Rules:
    """Return the rules with only the formulas that satisfy a condition."""
    return replace(
        rules,
        linear=tuple(rule for rule in rules.linear if is_kept(rule)),
        unary=tuple(rule for rule in rules.unary if is_kept(rule)),
        products=tuple(rule for rule in rules.products if is_kept(rule)),
        expressions=tuple(rule for rule in rules.expressions if is_kept(rule)),
    )
