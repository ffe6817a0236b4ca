"""Tests that sampled entities are new, with row counts and attributes distributed as in the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, NAME, fitted, logins, orders, panel
from understudy.tables.schema import ColumnKind

KEYS = {"order_no": IDENTIFIER, "customer_no": IDENTIFIER}
LOGIN_KEYS = {"user": IDENTIFIER, "email": ColumnKind.email, "ip": ColumnKind.ip}
SYNTHESIZERS = ["fast", "independent"]


@pytest.fixture(scope="module", params=SYNTHESIZERS)
def shop(request: pytest.FixtureRequest) -> understudy.Model:
    return fitted(orders(), KEYS, synthesizer=request.param)


def repeats(column: pd.Series) -> list[float]:
    """Return quantiles of the number of rows per entity."""
    return list(column.value_counts().quantile([0.1, 0.25, 0.5, 0.75, 0.9]))


def test_number_and_sizes_of_entities_match_the_table(shop: understudy.Model) -> None:
    table = orders()
    sampled = shop.sample(len(table), seed=3)
    for key in KEYS:
        assert sampled[key].nunique() == table[key].nunique()
        # Each size is replaced by the mean of about five similar sizes, so quantiles change little.
        assert repeats(sampled[key]) == pytest.approx(repeats(table[key]), abs=1, rel=0.1)


def test_attributes_are_the_same_in_all_rows_of_an_entity(shop: understudy.Model) -> None:
    sampled = shop.sample(3000, seed=3)
    for name in ("segment", "country"):
        assert (sampled.groupby("customer_no")[name].nunique() == 1).all()
    for name in ("customer_no", "order_date"):
        assert (sampled.groupby("order_no")[name].nunique() == 1).all()
    assert sampled["quantity"].nunique() > 5
    assert sampled.groupby("customer_no")["quantity"].nunique().max() > 2


def test_attributes_are_distributed_as_among_real_entities(shop: understudy.Model) -> None:
    table, sampled = orders(), shop.sample(20_000, seed=3)
    real, drawn = (
        data.drop_duplicates("customer_no")["segment"].value_counts(normalize=True)
        for data in (table, sampled)
    )
    # The tolerance is four standard deviations of a share of 0.6 among 120 customers.
    assert (real - drawn).abs().max() < 0.18


def test_dependencies_on_entity_attributes_are_preserved() -> None:
    sampled = fitted(orders(), KEYS, synthesizer="fast").sample(5000, seed=3)
    medians = sampled.groupby("segment")["quantity"].median()
    # In the table, the median quantities are 21 and 3.
    assert medians["public"] > 15
    assert medians["consumer"] < 5


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_no_real_identifier_is_sampled(synthesizer: str) -> None:
    table = logins()
    model = fitted(table, LOGIN_KEYS, synthesizer=synthesizer)
    for seed in range(10):
        sampled = model.sample(1500, seed=seed)
        assert not any(sampled[key].isin(table[key].dropna()).any() for key in LOGIN_KEYS)


def test_each_row_with_a_missing_key_is_a_separate_entity() -> None:
    table = logins()
    sampled = fitted(table, LOGIN_KEYS, synthesizer="fast").sample(len(table), seed=3)
    assert sampled["user"].isna().mean() == pytest.approx(table["user"].isna().mean(), abs=0.02)
    # The number of logins of a user is a sum over several addresses, so a decile of 60 users can vary by 4
    # logins.
    assert repeats(sampled["email"]) == pytest.approx(repeats(table["email"]), abs=4)


def test_combinations_of_unrelated_entities_are_preserved() -> None:
    table = logins()
    sampled = fitted(table, LOGIN_KEYS, synthesizer="fast").sample(len(table), seed=3)
    real, drawn = (data.groupby("email")["ip"].nunique().mean() for data in (table, sampled))
    assert drawn == pytest.approx(real, rel=0.15)


def test_rows_do_not_depend_on_the_sample_that_contains_them(shop: understudy.Model) -> None:
    many, few = shop.sample(3000, seed=5), shop.sample(100, seed=5, offset=700)
    pd.testing.assert_frame_equal(many[700:800].reset_index(drop=True), few)


def test_contiguous_rows_stay_contiguous() -> None:
    sampled = fitted(panel(), {"subject": IDENTIFIER}, synthesizer="fast").sample(180, seed=2)
    assert (sampled["subject"].to_numpy().reshape(60, 3) == sampled["subject"].to_numpy()[::3, None]).all()
    assert sampled["subject"].nunique() == 60
    assert sampled["subject"].str.fullmatch(r"ID-\d{3}").all()
    assert (sampled.groupby("subject")["age"].nunique() == 1).all()


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_stored_models_produce_the_same_rows(tmp_path: Path, synthesizer: str) -> None:
    model = fitted(logins(), LOGIN_KEYS, synthesizer=synthesizer)
    model.save(tmp_path / "a.model")
    loaded = understudy.load(tmp_path / "a.model")
    pd.testing.assert_frame_equal(model.sample(500, seed=1), loaded.sample(500, seed=1))


def test_samples_with_disjoint_identifier_ranges_share_no_entities(shop: understudy.Model) -> None:
    first = shop.sample(1000, seed=1, id_start=0)
    second = shop.sample(1000, seed=2, id_start=1000)
    for key in KEYS:
        assert not first[key].isin(second[key]).any()


def test_card_lists_the_entities(shop: understudy.Model) -> None:
    entities = {tuple(own["keys"]): own for own in shop.card()["entities"]}
    assert entities[("customer_no",)]["determines"] == ["segment", "country"]
    assert entities[("order_no",)]["determines"] == ["order_date"]
    assert entities[("customer_no",)]["n_entities"] == orders()["customer_no"].nunique()
    warnings = " ".join(shop.card()["warnings"])
    assert "Column 'customer_no' identifies entities" in warnings
    assert "set the kind of the column to category" in warnings


def test_unique_identifiers_do_not_identify_entities() -> None:
    table = pd.DataFrame({"id": [f"A{i:05d}" for i in range(500)], "x": np.arange(500) % 7})
    assert fitted(table, {"id": IDENTIFIER}, synthesizer="fast").card()["entities"] == []


def test_entity_sizes_depend_on_entity_attributes() -> None:
    rng = np.random.default_rng(1)
    customer = np.repeat(np.arange(200), np.where(np.arange(200) % 4 == 0, 20, 2))
    table = pd.DataFrame(
        {
            "id": [f"C{1000 + 7 * i}" for i in customer],
            "segment": np.where(customer % 4 == 0, "public", "private"),
            "quantity": rng.integers(1, 9, len(customer)),
        }
    )
    sampled = fitted(table, {"id": IDENTIFIER}, synthesizer="fast").sample(len(table), seed=3)
    # Public customers are a quarter of the customers and three quarters of the rows.
    assert (sampled["segment"] == "public").mean() == pytest.approx(10 / 13, abs=0.1)
    assert (sampled.drop_duplicates("id")["segment"] == "public").mean() == pytest.approx(0.25, abs=0.1)


def test_repeated_rows_of_an_entity_are_not_evidence_for_a_rule() -> None:
    rng = np.random.default_rng(2)
    customer = np.repeat(np.arange(100), 10)
    born = pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.permutation(100) * 150, unit="D")
    table = pd.DataFrame(
        {
            "id": [f"C{1000 + 7 * i}" for i in customer],
            "birth_date": born[customer],
            "segment": rng.choice(["a", "b", "c"], 100)[customer],
            "quantity": rng.integers(1, 9, len(customer)),
        }
    )
    assert fitted(table, {"id": IDENTIFIER}, synthesizer="fast").card()["rules"] == []


def test_no_real_entity_is_copied(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    customer = np.repeat(np.arange(400), 5)
    heights, regions = rng.integers(1500, 1800, 400), rng.choice(["north", "south"], 400)
    table = pd.DataFrame(
        {
            "id": [f"C{10_000 + 7 * i}" for i in customer],
            "height": heights[customer],
            "region": regions[customer],
            "weight": rng.integers(40, 90, 400)[customer],
            "amount": rng.integers(1, 9, len(customer)),
        }
    )
    model = fitted(table, {"id": IDENTIFIER}, synthesizer="fast")
    assert model.card()["entities_never_copied"] > 300
    model.save(tmp_path / "a.model")
    sampled = understudy.load(tmp_path / "a.model").sample(20_000, seed=3)
    columns = ["height", "region", "weight"]
    single = table.drop_duplicates("id")[columns].drop_duplicates(keep=False)
    # Without protection, about 50 of the 4000 sampled entities would equal a real entity by chance.
    assert not set(map(tuple, single.to_numpy())) & set(map(tuple, sampled[columns].to_numpy()))


def test_columns_that_rarely_vary_within_an_entity_get_one_value_per_entity() -> None:
    table = orders()
    table.loc[table.index % 100 == 0, "country"] = "DE"
    sampled = fitted(table, KEYS, synthesizer="fast").sample(2000, seed=3)
    assert (sampled.groupby("customer_no")["country"].nunique() == 1).all()


def test_first_and_last_name_together_identify_a_person() -> None:
    rng = np.random.default_rng(4)
    person = rng.integers(0, 80, 1000)
    first = rng.choice(["Ann", "Bob", "Eve", "Tom", "Joe", "Sue", "Max", "Kim"], 80)
    last = rng.choice(["Smith", "Jones", "Brown", "Stone", "Baker", "Young", "Green", "Clark"], 80)
    table = pd.DataFrame(
        {"first_name": first[person], "last_name": last[person], "amount": rng.integers(1, 9, 1000)}
    )
    kinds = {"first_name": ColumnKind.name, "last_name": ColumnKind.name}
    sampled = fitted(table, kinds, synthesizer="fast").sample(1000, seed=3)
    assert len(sampled.drop_duplicates(list(kinds))) == len(table.drop_duplicates(list(kinds)))


def test_more_rows_can_be_sampled_than_a_narrow_identifier_type_has_values() -> None:
    subject = np.repeat(np.arange(60, dtype=np.int16), 1000)
    table = pd.DataFrame({"subject": subject, "x": np.arange(60_000) % 7})
    sampled = fitted(table, {"subject": IDENTIFIER}, synthesizer="independent").sample(60_000, seed=1)
    assert sampled["subject"].nunique() == 60
    assert not sampled["subject"].isin(subject).any()


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_sampled_codes_and_entities_correspond_one_to_one(synthesizer: str, tmp_path: Path) -> None:
    place = np.random.default_rng(4).integers(0, 25, 600)
    table = pd.DataFrame(
        {
            "department": [f"D{10 + 4 * i}" for i in place],
            "manager": [f"{'abcde'[i % 5]}-{'vwxyz'[i // 5]} Miller" for i in place],
            "hours": np.random.default_rng(5).integers(1, 9, 600),
        }
    )
    model = fitted(table, {"manager": NAME}, synthesizer=synthesizer)
    model.save(tmp_path / "m.model")
    for own in (model, understudy.load(tmp_path / "m.model")):
        pairs = own.sample(600, seed=3)[["department", "manager"]].drop_duplicates()
        assert len(pairs) == pairs["department"].nunique() == pairs["manager"].nunique() == 25
        assert not set(pairs["department"]) & set(table["department"])
