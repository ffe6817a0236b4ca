"""Tests for codes and labels: columns that correspond one to one, and columns that a code determines."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import understudy
from understudy.errors import InvalidInput
from understudy.synthesizers.reference_tables import declare_public_levels
from understudy.tables.schema import Column, ColumnDomain, ColumnKind, TableSchema

# Minimum number of rows that must share a level for samples to contain it.
K = 5


def draw_levels(n_rows: int, n_levels: int, exponent: float = 0.8) -> Any:
    """Return levels whose frequencies follow Zipf's law, so that about half of them are rare."""
    weights = 1 / np.arange(1, n_levels + 1) ** exponent
    return np.random.default_rng(3).choice(n_levels, n_rows, p=weights / weights.sum())


def kits(n_rows: int = 1500, n_levels: int = 120) -> pd.DataFrame:
    """Return rows with a code, its label, the family of the code, and a column that depends on the family."""
    level, family = draw_levels(n_rows, n_levels), np.array(["red", "green", "blue"])
    own = family[np.random.default_rng(1).integers(0, 3, n_levels)][level]
    return pd.DataFrame(
        {
            "code": [f"K{i:03d}" for i in level],
            "label": [f"Kit {i} basic" for i in level],
            "family": own,
            "weight": np.where(own == "red", 9, 2) + np.random.default_rng(2).normal(size=n_rows).round(3),
        }
    )


def test_model_with_a_code_as_subject_can_be_loaded(tmp_path: Path):
    rows = kits(400, n_levels=150)[["code", "label", "weight"]]
    fitted = understudy.fit(rows, subject="code", seed=1)
    fitted.save(tmp_path / "kits.model")
    sample = understudy.load(tmp_path / "kits.model").sample(300, seed=2)
    pd.testing.assert_frame_equal(sample, fitted.sample(300, seed=2))
    assert not set(sample["code"]) & set(rows["code"])


@pytest.fixture(scope="module")
def model() -> understudy.Model:
    """Return a model of rows with a code and its label."""
    return understudy.fit(kits(), seed=1)


def pairs_of(frame: pd.DataFrame, code: str, label: str) -> set[tuple[Any, Any]]:
    """Return the distinct pairs of two columns, with None for missing values."""
    frame = frame[[code, label]].astype(object)
    return set(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def assert_one_to_one(real: pd.DataFrame, sample: pd.DataFrame, code: str, label: str) -> None:
    """Assert a one-to-one correspondence in which every real level is common and has its real partner."""
    known, drawn = pairs_of(real, code, label), pairs_of(sample, code, label)
    labels = [b for _, b in drawn if b is not None]
    assert len({a for a, _ in drawn}) == len(drawn)
    assert len(set(labels)) == len(labels)
    n_rows, n_labels = Counter(real[code].dropna()), Counter(real[label].dropna())
    shown = {a for a, _ in drawn} & set(n_rows)
    assert {pair for pair in drawn if pair[0] in shown} <= known
    assert all(n_rows[a] >= K for a in shown)
    made_up = {pair for pair in drawn if pair[0] is not None and pair[0] not in shown}
    assert made_up
    assert not {b for _, b in made_up} & set(n_labels)


def spelled(words: str) -> list[str]:
    return words.split()


MEMBERS: dict[str, tuple[list[Any], list[str]]] = {
    "country": (spelled("DE FR IT ES AT NO SE FI PL CZ JP BR"), [f"{w} land" for w in "abcdefghijkl"]),
    "diagnosis": (
        [f"S{i // 10}.{i % 10}" for i in range(90)],
        [f"{a} of {b}" for a in spelled("Fracture Sprain Burn") for b in (f"site {i}" for i in range(30))],
    ),
    "product": ([int(i) for i in range(1003, 1903, 9)], [f"Oak chair {i}" for i in range(100)]),
    "leading zeros": ([f"{i:05d}" for i in range(0, 60_000, 600)], [f"Branch {i}" for i in range(100)]),
    "prefix": (
        [f"{a}X-{i}" for i, a in enumerate("ABCDEFGHIJKLMNOPQRST", 101)],
        [f"{a}X" for a in "ABCDEFGHIJKLMNOPQRST"],
    ),
    "contained": ([f"E{i}" for i in range(10, 90)], [f"E{i} - pain {i % 7}" for i in range(10, 90)]),
    "symbol": (spelled("EUR USD GBP JPY SEK PLN INR ILS THB KRW"), spelled("€ $ £ ¥ kr zł ₹ ₪ ฿ ₩")),
}


@pytest.mark.parametrize("member", MEMBERS)
def test_code_and_label_correspond_one_to_one(member: str) -> None:
    codes, labels = MEMBERS[member]
    n = len(codes)
    level = draw_levels(12 * n if n > 20 else 40 * n, n, 0.8 if n > 20 else 2.5)
    real = pd.DataFrame({"code": np.array(codes)[level], "text": np.array(labels)[level]})
    real["amount"] = np.random.default_rng(2).normal(size=len(real)).round(3)
    sample = understudy.fit(real, seed=1).sample(4 * len(real), seed=2)
    assert_one_to_one(real, sample, "code", "text")


def test_label_can_be_a_number() -> None:
    names, numbers = MEMBERS["product"][::-1]
    level = draw_levels(1200, len(names))
    real = pd.DataFrame({"text": np.array(names)[level], "code": np.array(numbers)[level]})
    sample = understudy.fit(real, seed=1).sample(4800, seed=2)
    assert_one_to_one(real, sample, "text", "code")
    counts = real["code"].value_counts()
    assert set(counts.index[counts >= K]) <= set(sample["code"])


def test_three_columns_correspond_one_to_one() -> None:
    n_rows = [120, 90, 60, 50, 40, 3, 3, 3]
    names = spelled("Finance Legal Research Security Quality Audit Cafeteria Transport")
    level = np.random.default_rng(1).permutation(np.repeat(np.arange(8), n_rows))
    columns = {"dept": [n[:2].upper() for n in names], "name": names, "short": [n[:3].lower() for n in names]}
    real = pd.DataFrame({name: np.array(texts)[level] for name, texts in columns.items()})
    sample = understudy.fit(real, seed=1).sample(2000, seed=2)
    assert_one_to_one(real, sample, "dept", "name")
    assert_one_to_one(real, sample, "dept", "short")
    # The rare levels have 9 of the 369 rows. The tolerance is four standard deviations.
    assert abs((~sample["dept"].isin(real["dept"])).mean() - 9 / 369) < 0.014


def test_levels_without_a_label_remain_without_a_label() -> None:
    real = kits()
    real.loc[real["code"].str.endswith("3"), "label"] = None
    real.loc[::20, ["code", "label"]] = None
    sample = understudy.fit(real, seed=1).sample(6000, seed=2)
    assert_one_to_one(real, sample, "code", "label")
    assert abs(sample["code"].isna().mean() - real["code"].isna().mean()) < 0.02
    assert abs(sample["label"].isna().mean() - real["label"].isna().mean()) < 0.05


def test_rows_without_a_code_can_have_a_label() -> None:
    real = kits()
    real.loc[::20, "code"], real.loc[::20, "label"] = None, "No kit at all"
    sample = understudy.fit(real, seed=1).sample(6000, seed=2)
    assert set(sample.loc[sample["code"].isna(), "label"]) == {"No kit at all"}


def test_frequencies_of_levels_are_preserved(model: understudy.Model) -> None:
    real, sample = kits(), model.sample(15_000, seed=2)
    counts = [np.sort(frame["code"].value_counts().to_numpy()) for frame in (real, sample)]
    quantiles = [np.quantile(own, (0.1, 0.25, 0.5, 0.75, 0.9)) for own in counts]
    # The sample has ten times as many rows as the table.
    assert np.abs(quantiles[0] - quantiles[1] / 10).max() <= 2
    assert len(counts[1]) == len(counts[0])


def test_column_determined_by_a_code_has_one_value_per_made_up_level(
    model: understudy.Model,
) -> None:
    real, sample = kits(), model.sample(15_000, seed=2)
    for determinant in ("code", "label"):
        families = pairs_of(sample, determinant, "family")
        assert len({a for a, _ in families}) == len(families)
        known = pairs_of(real, determinant, "family")
        assert {pair for pair in families if pair[0] in set(real[determinant])} <= known
    made_up = sample[~sample["code"].isin(real["code"])]
    assert set(made_up["family"]) == {"red", "green", "blue"}
    is_red = made_up["family"] == "red"
    # In the table, the mean weights of the families differ by seven standard deviations.
    assert made_up.loc[is_red, "weight"].mean() - made_up.loc[~is_red, "weight"].mean() > 6


def test_chains_of_determined_columns_are_consistent() -> None:
    real = kits(3000, 200)
    group = {name: i for i, name in enumerate(sorted(set(real["label"].str[:5])))}
    real["shelf"] = real["label"].str[:5].map(group).map("S{:03d}".format)
    real["hall"] = (real["label"].str[:5].map(group) % 4).map("H{}".format)
    sample = understudy.fit(real, seed=1).sample(9000, seed=2)
    for determinant, dependent in (("code", "shelf"), ("shelf", "hall"), ("code", "hall")):
        drawn = pairs_of(sample, determinant, dependent)
        assert len({a for a, _ in drawn}) == len(drawn)


def made_up_rows(model: understudy.Model) -> pd.DataFrame:
    """Return one row with each made-up level."""
    sample = model.sample(3000, seed=2)
    is_made_up = ~sample["code"].isin(kits()["code"])
    rows: pd.DataFrame = sample[is_made_up].drop_duplicates("code")
    return rows


@pytest.mark.parametrize("column", ["code", "label"])
@pytest.mark.parametrize("is_made_up", [True, False])
def test_condition_on_a_code_sets_its_label_and_vice_versa(
    model: understudy.Model, column: str, is_made_up: bool
) -> None:
    row = (made_up_rows(model) if is_made_up else kits()).iloc[0]
    condition = {"where": {column: {"equals": row[column]}}, "n_rows": 200}
    sample = model.sample(seed=3, constraints={"conditions": [condition]})
    drawn = set(sample[["code", "label", "family"]].itertuples(index=False, name=None))
    assert drawn == {(row["code"], row["label"], row["family"])}


def test_contradictory_conditions_are_refused(model: understudy.Model) -> None:
    first, second = (made_up_rows(model).iloc[i] for i in (0, 1))
    where = {"code": {"equals": first["code"]}, "label": {"equals": second["label"]}}
    with pytest.raises(InvalidInput, match="'label'") as refused:
        model.sample(seed=3, constraints={"conditions": [{"where": where, "n_rows": 9}]})
    assert refused.value.code == "impossible_condition"


def test_rebalancing_keeps_codes_and_labels_together(model: understudy.Model) -> None:
    rows = pd.concat([made_up_rows(model).iloc[:1], kits().iloc[:1]])
    shares = [{"value": code, "share": 0.5} for code in rows["code"]]
    sample = model.sample(2000, seed=3, constraints={"rebalance": {"column": "code", "shares": shares}})
    assert pairs_of(sample, "code", "label") == pairs_of(rows, "code", "label")
    assert abs((sample["code"] == rows["code"].iloc[0]).mean() - 0.5) < 0.05


def test_imputation_derives_labels_from_codes_and_codes_from_labels(model: understudy.Model) -> None:
    made_up, shown = made_up_rows(model).iloc[0], kits().iloc[0]
    gaps = pd.DataFrame(
        {
            "code": [made_up["code"], None, shown["code"], None],
            "label": [None, made_up["label"], None, shown["label"]],
            "family": [None] * 4,
            "weight": [2.0] * 4,
        }
    )
    filled = model.impute(gaps, seed=1)
    expected = [tuple(row[["code", "label", "family"]]) for row in (made_up, made_up, shown, shown)]
    assert list(filled[["code", "label", "family"]].itertuples(index=False, name=None)) == expected


def test_imputation_assigns_one_made_up_label_to_a_rare_code_of_the_table(model: understudy.Model) -> None:
    real = kits()
    counts = real["code"].value_counts()
    rare = counts.index[counts < K][0]
    gaps = pd.DataFrame({"code": [rare] * 20, "label": None, "family": None, "weight": 2.0})
    filled = model.impute(gaps, seed=1)
    assert set(filled["code"]) == {rare}
    (label,) = set(filled["label"])
    assert label not in set(real["label"])
    assert label in set(made_up_rows(model)["label"])


def test_loaded_model_produces_the_same_sample(model: understudy.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "kits.model")
    loaded = understudy.load(tmp_path / "kits.model")
    assert loaded.sample(500, seed=4).equals(model.sample(500, seed=4))
    assert loaded.card() == model.card()


def test_card_warns_about_each_column_that_loses_levels(model: understudy.Model) -> None:
    counts = kits()["code"].value_counts()
    n_levels, n_rows = int((counts < K).sum()), int(counts[counts < K].sum())
    for column in ("code", "label"):
        (warning,) = (w for w in model.card()["warnings"] if w.startswith(f"Column '{column}' loses"))
        assert f"loses {n_levels} levels ({n_rows} rows)" in warning
        assert "made-up levels" in warning


def test_correspondence_without_enough_evidence_is_ignored() -> None:
    # Every pair occurs in few rows, so the correspondence is not evidence of a rule.
    real = pd.DataFrame({"a": [f"a{i}" for i in range(40)] * 2, "b": [f"b{i}" for i in range(40)] * 2})
    real.loc[79, "b"] = "b0"
    card = understudy.fit(real, seed=1).card()
    assert not any(column.get("is_label") for column in card["columns"])


def test_row_column_that_determines_an_entity_column_agrees_with_it() -> None:
    """One code represents all rare teams, but only some of them belong to the country of an athlete."""
    rng = np.random.default_rng(0)
    athlete = np.repeat(np.arange(500), 2)
    country = np.where(rng.random(500) > 0.1, [f"N{i % 20}" for i in range(500)], "R")[athlete]
    country = np.where(country == "R", [f"R{i % 20}" for i in athlete], country)
    is_second = (rng.random(1000) < 0.05) & np.char.startswith(country, "N")
    team = np.where(is_second, np.char.add(country, [f"-{i % 39}" for i in range(1000)]), country)
    rows = pd.DataFrame({"athlete": [f"A{i:05}" for i in athlete], "country": country, "team": team})
    model = understudy.fit(rows, synthesizer="fast", seed=0)
    assert model.card()["entities"][0]["determines"] == ["country"]
    assert "team determines country in every row." in model.card()["rules"]
    sample = model.sample(1000, seed=1)
    assert sample.groupby("athlete")["country"].nunique().max() == 1
    kept = sample[sample["team"].isin(rows["team"])]
    assert pairs_of(kept, "team", "country") <= pairs_of(rows, "team", "country")


@pytest.mark.parametrize("declared", [("code",), ("label",), ("code", "label")])
def test_declared_levels_are_kept_and_other_labels_are_made_up(declared: tuple[str, ...]) -> None:
    real = kits()[["code", "label"]]
    schema = understudy.infer_schema(real)
    (name,) = schema.tables
    columns = tuple(
        column.model_copy(update={"domain": ColumnDomain(levels=tuple(sorted(set(real[column.name]))))})
        if column.name in declared
        else column
        for column in schema.tables[name].columns
    )
    table = schema.tables[name].model_copy(update={"columns": columns})
    own = schema.model_copy(update={"tables": {name: table}})
    sample = understudy.fit(real, schema=own, seed=1).sample(9000, seed=2)
    drawn = pairs_of(sample, "code", "label")
    assert len(drawn) == len({a for a, _ in drawn}) == len({b for _, b in drawn}) == real["code"].nunique()
    for column in ("code", "label"):
        counts = real[column].value_counts()
        shown = set(counts.index if column in declared else counts.index[counts >= K])
        assert set(sample[column]) & set(real[column]) == shown


def test_levels_of_a_reference_table_are_kept() -> None:
    real = kits()[["code", "weight"]]
    column = Column(name="code", kind=ColumnKind.category, arrow_type="string", nullable=False)
    schema = TableSchema(columns=(column,))
    table = pa.table({"code": real["code"].tolist()})
    known = pa.table({"code": sorted(set(real["code"])), "size": range(real["code"].nunique())})
    (declared,) = declare_public_levels(table, schema, {"kits": known}).columns
    assert declared.domain is not None
    assert set(declared.domain.levels) == set(real["code"])
    for other in (known.slice(1), known.rename_columns(["kit", "size"])):
        assert declare_public_levels(table, schema, {"kits": other}) == schema


@pytest.mark.parametrize("synthesizer", ["fast", "independent"])
def test_rare_label_of_rows_without_a_code_is_never_sampled(synthesizer: str) -> None:
    table = kits()[["code", "label", "weight"]]
    table.loc[:2, ["code", "label"]] = None, "Kit of Krueger basic"
    sample = understudy.fit(table, synthesizer=synthesizer, seed=1).sample(6000, seed=2)
    assert sample["code"].isna().any()
    assert "Kit of Krueger basic" not in set(sample["label"])
    assert_one_to_one(table, sample, "code", "label")


@pytest.mark.parametrize("is_number", [False, True])
def test_made_up_codes_contain_the_values_they_determine(is_number: bool, tmp_path: Path) -> None:
    level, chapters = (
        draw_levels(1500, 150),
        np.array([21, 34, 55]) if is_number else np.array(["AB", "CD", "EF"]),
    )
    chapter = chapters[np.random.default_rng(1).integers(0, 3, 150)]
    codes = [f"{own}{i * 7:04d}" for i, own in enumerate(chapter)]
    real = pd.DataFrame(
        {
            "chapter": chapter[level],
            "code": np.array(codes)[level].astype(np.int64 if is_number else object),
            "label": np.array([f"{code} - pain {i}" for i, code in enumerate(codes)])[level],
        }
    )
    model = understudy.fit(real, seed=1)
    model.save(tmp_path / "m.model")
    for own in (model, understudy.load(tmp_path / "m.model")):
        sample = own.sample(3000, seed=2)
        assert_one_to_one(real, sample, "code", "label")
        pairs = zip(sample["chapter"].astype(str), sample["code"].astype(str), sample["label"], strict=True)
        assert all(code.startswith(chapter) and label.startswith(code) for chapter, code, label in pairs)
