"""Tests for splits into training rows and a holdout: by row, by subject and by root."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.inference import infer_table
from understudy.tables.schema import DatasetSchema, Relationship
from understudy.tables.source import ArrowSource, Dataset
from understudy.tables.split import Split, followed_relationships, is_held_out, row_units

# Earlier product versions held out these of 30 rows with a fraction of 0.2 and seed 7.
EARLIER = [1, 4, 11, 13, 14, 17, 26, 28]


def rows(n_rows: int, fraction: float, seed: int) -> Any:
    return is_held_out(row_units(n_rows), fraction, seed=seed)


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_the_held_out_share_is_close_to_the_fraction(fraction: float) -> None:
    n_rows = 100_000
    share = rows(n_rows, fraction, 7).mean()
    assert abs(share - fraction) < 4 * (fraction * (1 - fraction) / n_rows) ** 0.5


def test_adding_rows_does_not_change_which_of_the_first_rows_are_held_out() -> None:
    assert np.array_equal(rows(1000, 0.2, 3)[:400], rows(400, 0.2, 3))


def test_the_same_rows_are_held_out_as_in_earlier_versions() -> None:
    # Models from earlier product versions are evaluated on the rows that those versions held out.
    assert np.flatnonzero(rows(30, 0.2, 7)).tolist() == EARLIER


def test_another_seed_holds_out_other_rows() -> None:
    both = rows(100_000, 0.5, 1) & rows(100_000, 0.5, 2)
    assert abs(both.mean() - 0.25) < 4 * (0.25 * 0.75 / 100_000) ** 0.5


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_a_fraction_of_0_holds_out_no_row_and_a_fraction_of_1_holds_out_every_row(seed: int) -> None:
    assert not rows(100, 0, seed).any()
    assert rows(100, 1, seed).all()
    assert rows(0, 0.5, seed).shape == (0,)


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_an_invalid_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(InvalidInput):
        rows(10, fraction, 0)


def schema_of(table: pa.Table, *subject: str, role: str = "data") -> Any:
    return infer_table(table).schema.model_copy(update={"subject": subject, "role": role})


def held_out(table: pa.Table, *subject: str, fraction: float = 0.3, seed: int = 5) -> Any:
    split = Split(seed=seed, holdout_fraction=fraction, by="subject")
    return split.mask(table, subject)


def subjects(n: int) -> dict[str, pa.Array[Any]]:
    """Return n subjects as values of several types."""
    numbers = np.arange(n)
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=int(day)) for day in numbers]
    return {
        "int": pa.array(numbers),
        "string": pa.array([f"patient {number}" for number in numbers]),
        "date": pa.array(days),
        "timestamp": pa.array(days, pa.date32()).cast(pa.timestamp("s")),
        "duration": pa.array(numbers, pa.duration("s")),
        "dictionary": pa.array([f"p{number}" for number in numbers]).dictionary_encode(),
    }


@pytest.mark.parametrize("kind", subjects(1))
def test_all_rows_of_a_subject_are_on_the_same_side_of_the_split(kind: str) -> None:
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(300), 7))
    table = pa.table({"who": subjects(300)[kind].take(pa.array(order)), "x": np.arange(2_100)})
    mask = held_out(table, "who")
    assert not set(order[mask]) & set(order[~mask])
    # Each of the 300 subjects is assigned independently.
    assert abs(mask.mean() - 0.3) < 4 * (0.3 * 0.7 / 300) ** 0.5


def test_the_split_does_not_depend_on_the_order_of_rows() -> None:
    table = pa.table({"who": np.repeat(np.arange(100), 3)})
    order = np.random.default_rng(0).permutation(300)
    assert np.array_equal(held_out(table.take(pa.array(order)), "who"), held_out(table, "who")[order])


def test_the_split_does_not_depend_on_the_storage_type_of_the_subject() -> None:
    numbers = pa.array(np.repeat(np.arange(100), 3))
    first, second = (
        held_out(pa.table({"who": numbers.cast(type_)}), "who") for type_ in (pa.int16(), pa.string())
    )
    assert np.array_equal(first, second)


def test_rows_without_a_subject_are_separate_units() -> None:
    table = pa.table({"who": pa.array([None] * 2_000 + ["a"] * 10, pa.string())})
    mask = held_out(table, "who")
    assert abs(mask[:2_000].mean() - 0.3) < 4 * (0.3 * 0.7 / 2_000) ** 0.5
    assert len(set(mask[2_000:])) == 1


def test_a_composite_subject_is_a_combination_of_values() -> None:
    table = pa.table({"clinic": np.repeat(np.arange(20), 100), "number": np.tile(np.arange(50), 40)})
    mask = held_out(table, "clinic", "number")
    pairs = np.array(table["clinic"]) * 50 + np.array(table["number"])
    assert not set(pairs[mask]) & set(pairs[~mask])
    assert set(np.array(table["clinic"])[mask]) == set(range(20))


def test_a_row_with_an_incomplete_composite_subject_is_a_separate_unit() -> None:
    table = pa.table({"clinic": [1] * 1_000, "number": pa.nulls(1_000, pa.int64())})
    assert 0 < held_out(table, "clinic", "number").sum() < 1_000


def test_single_subject_is_not_held_out() -> None:
    for seed in range(20):
        assert not held_out(pa.table({"who": ["a"] * 10}), "who", seed=seed).any()


def test_the_schema_determines_the_unit_of_the_split() -> None:
    schema = shop(customer_subject=True)[1]
    alone = DatasetSchema(tables={"customer": schema.tables["customer"]})
    plain = DatasetSchema(tables={"order": schema.tables["order"]})
    units = [Split.of(each, holdout_fraction=0.2, seed=1).by for each in (schema, alone, plain)]
    assert units == ["root", "subject", "row"]


def test_a_stored_split_without_a_unit_is_read_as_a_split_by_row() -> None:
    assert Split.model_validate({"seed": 7, "holdout_fraction": 0.2}).by == "row"


def shop(*, customer_subject: bool = False) -> tuple[Dataset, DatasetSchema]:
    """Return the tables of a shop. Sellers report to each other, and orders have several lines."""
    rng = np.random.default_rng(0)
    products = pa.table({"id": [f"p{i}" for i in range(40)]})
    sellers = pa.table({"id": range(30), "boss": [None, *[0] * 29]})
    customers = pa.table({"id": range(400), "seller": rng.integers(30, size=400)})
    # Customers with numbers above 399 do not exist.
    orders = pa.table({"id": range(2_000), "customer": pa.array(rng.integers(420, size=2_000), pa.int32())})
    lines = pa.table(
        {
            "product": [f"p{i}" for i in rng.integers(40, size=5_000)],
            "order": pa.array(rng.integers(2_000, size=5_000), mask=rng.random(5_000) < 0.1),
        }
    )
    tables = {"line": lines, "order": orders, "customer": customers, "seller": sellers, "product": products}
    subject = {"customer": ("id",)} if customer_subject else {}
    schema = DatasetSchema(
        tables={name: schema_of(table, *subject.get(name, ())) for name, table in tables.items()},
        relationships=tuple(
            Relationship(child=child, child_columns=(column,), parent=parent, parent_columns=("id",))
            for child, column, parent in (
                ("line", "product", "product"),
                ("line", "order", "order"),
                ("order", "customer", "customer"),
                ("customer", "seller", "seller"),
                ("seller", "boss", "seller"),
            )
        ),
    )
    return {name: ArrowSource(table) for name, table in tables.items()}, schema


def masks_of(data: Dataset, schema: DatasetSchema) -> Any:
    return Split(seed=3, holdout_fraction=0.4, by="root").masks(data, schema)


def test_child_rows_are_held_out_together_with_their_root() -> None:
    data, schema = shop()
    masks = masks_of(data, schema)
    seller_of = np.array(data["customer"].table["seller"])  # type: ignore[attr-defined]
    assert np.array_equal(masks["customer"], masks["seller"][seller_of])
    customer_of = np.array(data["order"].table["customer"])  # type: ignore[attr-defined]
    has_parent = customer_of < 400
    assert np.array_equal(masks["order"][has_parent], masks["customer"][customer_of[has_parent]])


def test_rows_without_a_parent_are_roots() -> None:
    data, schema = shop()
    masks = masks_of(data, schema)
    orphans = np.array(data["order"].table["customer"]) >= 400  # type: ignore[attr-defined]
    assert np.array_equal(masks["order"][orphans], rows(2_000, 0.4, 3)[orphans])


def test_rows_with_several_parents_follow_the_first_listed_relationship() -> None:
    assert followed_relationships(shop()[1])["line"].parent == "product"


def test_rows_with_several_parents_follow_a_relationship_that_leads_to_a_subject() -> None:
    followed = followed_relationships(shop(customer_subject=True)[1])
    assert {child: each.parent for child, each in followed.items()} == {"line": "order", "order": "customer"}


def test_a_declared_subject_takes_precedence_over_the_parent() -> None:
    data, schema = shop(customer_subject=True)
    masks = masks_of(data, schema)
    alone = Split(seed=3, holdout_fraction=0.4, by="subject")
    table = data["customer"].table  # type: ignore[attr-defined]
    assert np.array_equal(masks["customer"], alone.mask(table, ("id",)))


def test_rows_of_reference_tables_are_not_held_out() -> None:
    data, schema = shop()
    reference = schema.tables["product"].model_copy(update={"role": "reference"})
    schema = schema.model_copy(update={"tables": {**schema.tables, "product": reference}})
    assert not masks_of(data, schema)["product"].any()
    assert followed_relationships(schema)["line"].parent == "order"


def test_a_relationship_that_closes_a_cycle_is_not_followed() -> None:
    table = pa.table({"id": range(100), "other": range(100)})
    ends = (("a", "b"), ("b", "a"))
    relationships = tuple(
        Relationship(child=child, child_columns=("other",), parent=parent, parent_columns=("id",))
        for child, parent in ends
    )
    schema = DatasetSchema(tables={"a": schema_of(table), "b": schema_of(table)}, relationships=relationships)
    masks = masks_of({"a": ArrowSource(table), "b": ArrowSource(table)}, schema)
    assert np.array_equal(masks["a"], masks["b"])
    assert 0 < masks["a"].sum() < 100


def test_each_mask_has_the_length_of_its_table() -> None:
    data, schema = shop()
    assert {name: len(mask) for name, mask in masks_of(data, schema).items()} == {
        name: source.n_rows for name, source in data.items()
    }


def test_one_of_few_subjects_is_held_out_if_chance_selects_none():
    table = pa.table({"patient": [i for i in range(12) for _ in range(5)]})
    for seed in range(40):
        mask = Split(seed=seed, holdout_fraction=0.1, by="subject").mask(table, ["patient"])
        held_out = set(table.filter(pa.array(mask)).column("patient").to_pylist())
        assert 1 <= len(held_out) < 12
        assert mask.sum() == 5 * len(held_out)
    tiny = Split(seed=1, holdout_fraction=0.001, by="subject").mask(table, ["patient"])
    assert not tiny.any()
