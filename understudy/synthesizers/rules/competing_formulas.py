"""Choice between two formulas for one column, such as the total of a loan.

If total = principal + interest and total = payment * months, the total cannot be computed by both formulas.
It is computed as the product, because payment = total / months would be rounded. The sum is then solved for
one of its terms: interest = total - principal.
"""

from __future__ import annotations

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.derivation_order import in_order
from understudy.synthesizers.rules.linear import Linear
from understudy.synthesizers.rules.product_search import find_products
from understudy.synthesizers.rules.products import Product
from understudy.synthesizers.rules.relations import Guess, prove
from understudy.synthesizers.rules.value_rules import ValueRules


def settle(
    columns: Columns, linear: tuple[Linear, ...], fixed: set[str]
) -> tuple[tuple[Linear, ...], tuple[Product, ...]]:
    """Return the new linear rules, and the products that now compute targets of the given linear rules.

    Parameters
    ----------
    columns : Columns
        Columns of the table.
    linear : tuple of Linear
        Linear rules of the table.
    fixed : set of str
        Names of columns that must not be computed.
    """
    products: tuple[Product, ...] = ()
    for rule in linear:
        n_others = len(set(columns.names) - {rule.target, *rule.terms})
        if not n_others or len(rule.terms) < 2:
            continue
        others = tuple(own for own in linear if own is not rule)
        for product in find_products(columns, [rule.target], (*others, *products)):
            solved = _solved(columns, rule, product, (*others, *products), fixed)
            if solved is not None:
                linear = tuple(solved if own is rule else own for own in linear)
                products = (*products, product)
    return linear, products


def _solved(
    columns: Columns, rule: Linear, product: Product, others: tuple[Linear | Product, ...], fixed: set[str]
) -> Linear | None:
    """Return the rule solved for a computable term, preferring the finest step, or None."""
    taken = {own.target for own in others} | fixed | set(product.terms)
    rules = [_solve_for(columns, rule, term) for term in reversed(rule.terms) if term not in taken]
    usable = [
        own
        for own in rules
        if own is not None and in_order((*others, product, own), ValueRules()) is not None
    ]
    return min(usable, key=lambda own: own.step * (columns.unit(own.target) or 0), default=None)


def _solve_for(columns: Columns, rule: Linear, name: str) -> Linear | None:
    """Return a rule solved for one of its terms, or None if the result does not hold in all rows."""
    units = {n: columns.unit(n) for n in (rule.target, *rule.terms)}
    present = {n: unit for n, unit in units.items() if unit is not None}
    if len(present) < len(units):
        return None
    scale = present[rule.target] * rule.step / rule.divisor
    pairs = zip(rule.terms, rule.factors, strict=True)
    guess = Guess(rule.target, {term: scale * factor / present[term] for term, factor in pairs})
    return prove(columns, guess.solved_for(name).sorted_by(columns.names), len(columns.names))
