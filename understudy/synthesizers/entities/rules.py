"""Rules between columns of different entities: which can be kept, and which are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.rules import Rules


def restrict_rules(rules: Rules, entities: Entities, names: Sequence[str]) -> Rules:
    """Return the rules that can be kept although the columns of an entity are drawn once for all its rows.

    A column of an entity is not derived from columns of single rows. Columns of unrelated entities, such as
    customers and IP addresses, are drawn independently, so there are no rules between them.

    Parameters
    ----------
    rules : Rules
        Rules of the table.
    entities : Entities
        Entities of the table.
    names : sequence of str
        Names of the columns of the table.
    """
    if not entities.groups:
        return rules
    place = {name: j for j, name in enumerate(names)}

    def sees(name: str, others: Iterable[str]) -> bool:
        return all(other not in place or entities.sees(place[name], place[other]) for other in others)

    def are_related(*columns: str) -> bool:
        return any(sees(name, columns) for name in columns)

    bases = {own.name: own.base for own in rules.differences}
    linear = tuple(
        rule for rule in rules.linear if sees(rule.target, (bases.get(term, term) for term in rule.terms))
    )
    targets = {rule.target for rule in linear}
    differences = tuple(own for own in rules.differences if own.target in targets)
    hidden = {own.name for own in rules.differences} - {own.name for own in differences}
    columns = tuple(column for column in rules.schema.columns if column.name not in hidden)
    return replace(
        rules,
        schema=rules.schema.model_copy(update={"columns": columns}),
        functional_dependencies=tuple(
            rule for rule in rules.functional_dependencies if are_related(rule.dependent, rule.determinant)
        ),
        fixed_combinations=tuple(rule for rule in rules.fixed_combinations if are_related(*rule.columns)),
        linear=linear,
        inequalities=tuple(rule for rule in rules.inequalities if are_related(rule.low, rule.high)),
        missingness=tuple(rule for rule in rules.missingness if are_related(rule.first, rule.second)),
        differences=differences,
    )
