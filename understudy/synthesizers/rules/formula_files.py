"""Conversion of formulas other than sums to and from JSON. The content of files is untrusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pyarrow as pa

from understudy.synthesizers.rules.expressions import Expression, Monomial
from understudy.synthesizers.rules.linear import SUM_MAX, Linear
from understudy.synthesizers.rules.products import MODES, SHAPES, Factor, Product
from understudy.synthesizers.rules.unary import FUNCTIONS, Unary
from understudy.synthesizers.rules.values import unit_of
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import Json

# Maximum number of rules, of factors in a product, and of terms in an expression; maximum exponent; exclusive
# bounds on the absolute value of numbers.
N_RULES_MAX = 1024
N_FACTORS_MAX = 4
N_MONOMIALS_MAX = 256
EXPONENT_MAX = 4
NUMBER_MIN, NUMBER_MAX = 1e-30, 1e30

Types = Mapping[str, pa.DataType]
ReadLinear = Callable[[ArrayReader], Linear]


def products_to_json(products: tuple[Product, ...]) -> list[Json]:
    """Return product rules as JSON."""
    return [
        {
            "target": rule.target,
            "factors": [
                {"column": f.column, "exponent": f.exponent, "shape": f.shape, "unit": f.unit}
                for f in rule.factors
            ],
            "constant": rule.constant,
            "unit": rule.unit,
            "step": rule.step,
            "ties": rule.ties,
        }
        for rule in products
    ]


def expressions_to_json(expressions: tuple[Expression, ...]) -> list[Json]:
    """Return expressions as JSON."""
    return [
        {
            "target": rule.target,
            "above": [{"factor": part.factor, "columns": list(part.columns)} for part in rule.above],
            "below": [{"factor": part.factor, "columns": list(part.columns)} for part in rule.below],
            "terms": [{"column": name, "unit": unit} for name, unit in rule.units.items()],
            "unit": rule.unit,
            "step": rule.step,
            "ties": rule.ties,
            "is_positive_part": rule.is_positive_part,
        }
        for rule in expressions
    ]


def load_unary(reader: ArrayReader, read_linear: ReadLinear) -> tuple[Unary, ...]:
    """Return the unary rules. Model files from earlier versions do not contain unary rules.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or is out of range.
    """
    rules = []
    for part in _parts(reader, "unary"):
        function = part.choice("function", FUNCTIONS)
        linear = read_linear(part.part(part.manifest.get("linear"), part.prefix))
        require(len(linear.terms) == 1, "a function has more than one column")
        rules.append(Unary(function, linear))  # type: ignore[arg-type]  # checked above
    return tuple(rules)


def load_products(reader: ArrayReader, types: Types, decimals: Mapping[str, int]) -> tuple[Product, ...]:
    """Return the product rules. Older files contain no product rules, or rules without a rounding mode.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or is out of range.
    """
    rules = []
    for part in _parts(reader, "products"):
        target = _number_column(part, "target", types)
        factors = tuple(_factor(own, types) for own in _parts(part, "factors"))
        require(0 < len(factors) <= N_FACTORS_MAX, "a product has no factors, or too many")
        names = {target, *(factor.column for factor in factors)}
        require(len(names) == len(factors) + 1, "a product has a column twice")
        step = _step(part, types[target], decimals.get(target))
        constant = _number(part, "constant")
        ties = part.choice("ties", MODES) if "ties" in part.manifest else "float"
        unit = _positive(part, "unit")
        rules.append(Product(target, factors, constant, unit, step, ties))  # type: ignore[arg-type]  # checked above
    return tuple(rules)


def load_expressions(
    reader: ArrayReader, types: Types, decimals: Mapping[str, int]
) -> tuple[Expression, ...]:
    """Return the expressions. Model files from earlier versions do not contain expressions.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or is out of range.
    """
    rules = []
    for part in _parts(reader, "expressions"):
        target = _number_column(part, "target", types)
        units = {
            _number_column(own, "column", types): _positive(own, "unit") for own in _parts(part, "terms")
        }
        above, below = (
            tuple(_monomial(own, units) for own in _parts(part, key)) for key in ("above", "below")
        )
        used = {name for own in (*above, *below) for name in own.columns}
        is_complete = used == set(units) and target not in used and len(used) > 0
        require(is_complete, "the terms of an expression are not the columns that it uses")
        n_monomials = len(above) + len(below)
        require(
            len(above) > 0 and n_monomials <= N_MONOMIALS_MAX, "an expression has the wrong number of terms"
        )
        step = _step(part, types[target], decimals.get(target))
        rules.append(
            Expression(
                target,
                above,
                below,
                units,
                _positive(part, "unit"),
                step,
                part.choice("ties", MODES),  # type: ignore[arg-type]  # checked by `choice`
                part.truth("is_positive_part"),
            )
        )
    return tuple(rules)


def _monomial(part: ArrayReader, units: Mapping[str, float]) -> Monomial:
    columns = part.texts("columns")
    is_valid = len(columns) == len({*columns}) <= N_FACTORS_MAX and {*columns} <= units.keys()
    require(is_valid, "a term of an expression has a column twice, or an unknown column")
    return Monomial(_number(part, "factor"), tuple(columns))


def _step(part: ArrayReader, type_: pa.DataType, decimals: int | None) -> int:
    step = part.whole("step", 0, SUM_MAX)
    is_rounded = unit_of(type_, decimals) is not None
    require((step > 0) == is_rounded, "the rounding of a product does not suit the type of its target")
    return step


def _parts(reader: ArrayReader, key: str) -> list[ArrayReader]:
    entries = reader.manifest.get(key, [])
    require(isinstance(entries, list) and len(entries) <= N_RULES_MAX, f"{key} are not a list")
    return [reader.part(entry, reader.prefix) for entry in entries]


def _factor(part: ArrayReader, types: Types) -> Factor:
    exponent = part.whole("exponent", -EXPONENT_MAX, EXPONENT_MAX)
    require(exponent != 0, "a factor has the exponent zero")
    shape = part.choice("shape", SHAPES)
    column = _number_column(part, "column", types)
    return Factor(column, exponent, shape, _positive(part, "unit"))  # type: ignore[arg-type]  # checked above


def _number_column(part: ArrayReader, key: str, types: Types) -> str:
    name = part.text(key)
    if name not in types:
        raise refuse("a product refers to an unknown column")
    type_ = types[name]
    is_number = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal128(type_)
    require(is_number, "a product has a column that is not numeric")
    return name


def _number(part: ArrayReader, key: str) -> float:
    value = part.manifest.get(key)
    is_number = type(value) is float and math.isfinite(value) and NUMBER_MIN < abs(value) < NUMBER_MAX
    require(is_number, f"{key} is not a number in range")
    assert isinstance(value, float)
    return value


def _positive(part: ArrayReader, key: str) -> float:
    value = _number(part, key)
    require(value > 0, f"{key} is not positive")
    return value
