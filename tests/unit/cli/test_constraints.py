"""Tests for the options that constrain a sample."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.constraints import read_constraints
from understudy.errors import InvalidInput, NotFound
from understudy.tables.notation import BooleanNotation, DateNotation, NumberNotation
from understudy.tables.predicates import Predicate
from understudy.tables.schema import Column, ColumnKind, TableSchema

TYPES = {
    "income": ("category", "string"),
    "age": ("integer", "int64"),
    "height": ("float", "double"),
    "is_member": ("boolean", "bool"),
    "since": ("date", "date32[day]"),
    "paid": ("decimal", "decimal128(12, 2)"),
    "a=b": ("integer", "uint8"),
    "a": ("category", "string"),
}
SCHEMA = TableSchema(
    columns=tuple(
        Column(name=name, kind=ColumnKind(kind), arrow_type=arrow_type, nullable=True)
        for name, (kind, arrow_type) in TYPES.items()
    )
)


def where(*options: str) -> dict[str, Any]:
    """Return the only condition in the options, without fields that have default values."""
    constraints = read_constraints(options, None, None, schema=SCHEMA, n_rows=7)
    assert constraints is not None
    (condition,) = constraints.conditions
    assert condition.n_rows == 7
    fields: dict[str, Any] = condition.model_dump(exclude_defaults=True)["where"]
    return fields


def rebalanced(option: str) -> list[tuple[object, float]]:
    constraints = read_constraints((), option, None, schema=SCHEMA, n_rows=7)
    assert constraints is not None
    assert constraints.rebalance is not None
    return [(share.value, share.share) for share in constraints.rebalance.shares]


@pytest.mark.parametrize(
    ("option", "column", "constraint"),
    [
        ("income=>50K", "income", {"equals": ">50K"}),
        ("income=30..39", "income", {"equals": "30..39"}),
        ("income=", "income", {"is_missing": True}),
        ("age=30", "age", {"equals": 30}),
        ("age=30..39", "age", {"minimum": 30, "maximum": 39}),
        ("age=-5..-1", "age", {"minimum": -5, "maximum": -1}),
        ("age=0..", "age", {"minimum": 0}),
        ("height=..1.85", "height", {"maximum": 1.85}),
        ("is_member=False", "is_member", {"equals": False}),
        ("since=2020-01-01..2020-12-31", "since", {"minimum": "2020-01-01", "maximum": "2020-12-31"}),
        ("paid=12.50", "paid", {"equals": "12.50"}),
        ("a=b=1", "a=b", {"equals": 1}),
        ("a=c=1", "a", {"equals": "c=1"}),
    ],
)
def test_condition_is_parsed_according_to_the_type_of_its_column(
    option: str, column: str, constraint: dict[str, object]
):
    assert where(option) == {column: constraint}


def test_several_conditions_form_one_group():
    assert where("income=>50K", "age=30..") == {"income": {"equals": ">50K"}, "age": {"minimum": 30}}


@pytest.mark.parametrize(
    ("option", "shares"),
    [
        ("income:>50K=0.5,<=50K=0.5", [(">50K", 0.5), ("<=50K", 0.5)]),
        ("income:a, b=0.25,=0.75", [("a, b", 0.25), (None, 0.75)]),
        ("is_member:true=1", [(True, 1.0)]),
        ("age:30=9e-1,31=0.1", [(30, 0.9), (31, 0.1)]),
    ],
)
def test_shares_are_parsed_according_to_the_type_of_their_column(
    option: str, shares: list[tuple[object, float]]
):
    assert rebalanced(option) == shares


def test_constraints_are_read_from_a_file(tmp_path: Path):
    conditions = [{"where": {"income": {"one_of": ["a", "b"]}}, "n_rows": 3}]
    path = tmp_path / "constraints.json"
    path.write_text(json.dumps({"conditions": conditions}))
    constraints = read_constraints((), None, path, schema=SCHEMA, n_rows=7)
    assert constraints is not None
    assert constraints.model_dump(mode="json", exclude_defaults=True)["conditions"] == conditions


def test_no_constraints_are_set_without_options():
    assert read_constraints((), None, None, schema=SCHEMA, n_rows=7) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["town=Oslo"], "no column 'town'"),
        (["town"], "NAME=VALUE"),
        (["age=old"], "requires a whole number, but the value is 'old'"),
        (["age=30..old"], "'old'"),
        (["age=.."], "exactly one"),
        (["height=nan"], "--where height=nan"),
        (["is_member=1"], "true or false"),
        (["age=1", "age=2"], "'age' twice"),
    ],
)
def test_invalid_condition_is_refused(options: list[str], message: str):
    with pytest.raises(InvalidInput, match=message):
        where(*options)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("town:Oslo=1", "no column 'town'"),
        ("income", "NAME:VALUE=SHARE"),
        ("income:", "is not a list of shares"),
        ("income:a=0.5;b=0.5x", "is not a list of shares"),
        ("income:a=0.5,b=0.6", "add up to 1"),
        ("income:a=0.5,a=0.5", "listed only once"),
        ("income:a=e", "share: "),
        ("age:x=1", "requires a whole number"),
    ],
)
def test_invalid_shares_are_refused(option: str, message: str):
    with pytest.raises(InvalidInput, match=message):
        rebalanced(option)


def test_two_kinds_of_constraints_cannot_be_combined(tmp_path: Path):
    with pytest.raises(InvalidInput, match="--where and --rebalance cannot be combined"):
        read_constraints(["age=1"], "age:1=1", None, schema=SCHEMA, n_rows=7)


def test_file_without_valid_constraints_is_refused(tmp_path: Path):
    path = tmp_path / "constraints.json"
    path.write_text('{"conditions": [{"where": {}, "n_rows": 1}]}')
    with pytest.raises(
        InvalidInput,
        match=r"constraints\.json does not contain valid sampling constraints: conditions: 0: where: ",
    ):
        read_constraints((), None, path, schema=SCHEMA, n_rows=7)
    with pytest.raises(NotFound):
        read_constraints((), None, tmp_path / "absent", schema=SCHEMA, n_rows=7)


NOTATIONS: dict[str, tuple[str, NumberNotation | DateNotation | BooleanNotation]] = {
    "Umsatz": ("double", NumberNotation(decimal=",", thousands=".", decimals=2, suffix=" €")),
    "Rabatt": ("double", NumberNotation(suffix=" %")),
    "Gewicht": ("int64", NumberNotation(suffix=" kg", missing=("k.A.",))),
    "Preis": ("decimal128(12, 2)", NumberNotation(decimal=",", thousands=".", decimals=2)),
    "Datum": ("date32[day]", DateNotation(pattern="%d/%m/%Y")),
    "Tag": ("date32[day]", DateNotation(pattern="%d-%b-%Y", language="de")),
    "Zeit": ("timestamp[s]", DateNotation(pattern="%d.%m.%Y %H:%M")),
    "Kunde": ("bool", BooleanNotation(true="Ja", false="Nein")),
}


def column_in_notation(name: str) -> Column:
    arrow_type, notation = NOTATIONS[name]
    kinds = {"dou": "float", "int": "integer", "dec": "decimal", "dat": "date", "tim": "timestamp"}
    kind = ColumnKind(kinds.get(arrow_type[:3], "boolean"))
    return Column(name=name, kind=kind, arrow_type=arrow_type, nullable=True, notation=notation)


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [
        ("Umsatz=1.234,50 €", "1234.5", "1234.5"),
        ("Umsatz=1.000..2.000,00", "1000.0", "2000.0"),
        ("Umsatz=999.5", "999.5", "999.5"),
        ("Rabatt=5%..12 %", "5.0", "12.0"),
        ("Gewicht=94 kg..", "94", None),
        ("Preis=1.234,5", "1234.50", "1234.50"),
        ("Datum=01/02/2024..31/12/2024", "2024-02-01", "2024-12-31"),
        ("Datum=1/2/2024..2024-12-31", "2024-02-01", "2024-12-31"),
        ("Tag=31-dez-2024", "2024-12-31", "2024-12-31"),
        ("Zeit=31.12.2024 10:30", "2024-12-31 10:30:00", "2024-12-31 10:30:00"),
        ("Zeit=30.12.2024..31.12.2024", "2024-12-30 00:00:00", "2024-12-31 23:59:59"),
        ("Zeit=31.12.2024", "2024-12-31 00:00:00", "2024-12-31 23:59:59"),
        ("Kunde=Ja", "True", "True"),
        ("Kunde=nein", "False", "False"),
    ],
)
def test_condition_is_read_in_the_notation_of_its_column(option: str, low: str, high: str | None):
    column = column_in_notation(option.partition("=")[0])
    schema = TableSchema(columns=(column,))
    constraints = read_constraints([option], None, None, schema=schema, n_rows=1)
    assert constraints is not None
    constraint = constraints.conditions[0].where[column.name]
    predicate = Predicate(column, constraint)
    bounds = [constraint.equals if constraint.equals is not None else constraint.minimum]
    bounds.append(constraint.equals if constraint.equals is not None else constraint.maximum)
    typed = [
        None if bound is None else str(predicate.typed(bound, is_upper=is_upper)[0].as_py())
        for bound, is_upper in zip(bounds, (False, True), strict=True)
    ]
    assert typed == [low, high]


def test_condition_on_a_placeholder_for_missing_values_selects_missing_values():
    schema = TableSchema(columns=(column_in_notation("Gewicht"),))
    constraints = read_constraints(["Gewicht=k.A."], None, None, schema=schema, n_rows=1)
    assert constraints is not None
    assert constraints.conditions[0].where["Gewicht"].is_missing


@pytest.mark.parametrize(
    ("option", "example"),
    [
        ("Umsatz=viel", "1.234,50 €"),
        ("Gewicht=schwer", "12 kg"),
        ("Datum=12/31/2024", "31/12/2024"),
        ("Kunde=vielleicht", "Ja or Nein"),
    ],
)
def test_unreadable_value_is_refused_with_an_example_in_the_notation(option: str, example: str):
    schema = TableSchema(columns=(column_in_notation(option.partition("=")[0]),))
    with pytest.raises(InvalidInput, match=re.escape(f"for example {example}.")):
        read_constraints([option], None, None, schema=schema, n_rows=1)
