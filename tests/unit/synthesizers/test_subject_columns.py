"""Tests that unshared subject labels are generated from their pattern, not replaced with a placeholder."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import understudy
from understudy.cli.application import run
from understudy.tables.schema import ColumnKind

N_SUBJECTS, N_EACH = 200, 4
OWNERS = np.repeat(np.arange(N_SUBJECTS), N_EACH)
UUIDS = [str(uuid.UUID(bytes=np.random.default_rng(i).bytes(16), version=4)) for i in range(N_SUBJECTS)]
HEX = "[0-9a-f]"
LABELS: dict[str, tuple[Callable[[int], str], str]] = {
    "prefixed": (lambda i: f"P-{100_000 + 7 * i:07d}", r"P-\d{7}"),
    "uuid": (lambda i: UUIDS[i], f"{HEX}{{8}}-{HEX}{{4}}-4{HEX}{{3}}-[89ab]{HEX}{{3}}-{HEX}{{12}}"),
    "short": (lambda i: f"pat{i}", r"pat\d+"),
}
INDEPENDENT: dict[str, Any] = {"synthesizer": "independent", "seed": 1}


def visits(label: Callable[[int], str | int]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "patient": [label(int(i)) for i in OWNERS],
            "weight": rng.normal(size=len(OWNERS)),
            "clinic": np.array(["north", "south", "east"])[OWNERS % 3],
        }
    )


def fitted_as_category(table: pd.DataFrame) -> understudy.Model:
    """Return a model with a schema that declares `patient` as a category column and as the subject."""
    schema = understudy.infer_schema(table)
    ((name, described),) = schema.tables.items()
    patient, *others = described.columns
    columns = (patient.model_copy(update={"kind": ColumnKind.category}), *others)
    described = described.model_copy(update={"columns": columns, "subject": ("patient",)})
    return understudy.fit(
        table, schema=schema.model_copy(update={"tables": {name: described}}), **INDEPENDENT
    )


@pytest.mark.parametrize("synthesizer", ["independent", "fast"])
@pytest.mark.parametrize("name", LABELS)
def test_unshared_labels_are_generated_from_their_pattern(name: str, synthesizer: str) -> None:
    label, pattern = LABELS[name]
    table = visits(label)
    model = understudy.fit(table, subject="patient", synthesizer=synthesizer, seed=1)
    sampled = model.sample(500, seed=2)["patient"]
    assert sampled.nunique() == 500 / N_EACH
    assert not set(sampled) & set(table["patient"])
    assert all(re.fullmatch(pattern, value) for value in sampled)


def test_integer_labels_are_generated() -> None:
    table = visits(lambda i: 1_000 + 37 * i)
    sampled = fitted_as_category(table).sample(500, seed=2)["patient"]
    assert sampled.nunique() == 500 / N_EACH
    assert not set(sampled) & set(table["patient"])


def test_labels_of_a_narrow_integer_type_stay_in_its_range() -> None:
    # The type int8 has too few values for 200 patients or for a unique number per row.
    table = visits(lambda i: i % 100).astype({"patient": "int8"})
    assert fitted_as_category(table).sample(500, seed=2)["patient"].between(0, 100).all()


def test_shared_column_of_a_composite_subject_is_learned() -> None:
    table = visits(lambda i: f"P-{i // 3:04d}")
    model = understudy.fit(table, subject=("clinic", "patient"), **INDEPENDENT)
    sampled = model.sample(500, seed=2)
    assert set(sampled["clinic"]) == {"north", "south", "east"}
    assert sampled["patient"].nunique() == 500 / N_EACH
    assert (sampled.groupby("patient")["clinic"].nunique() == 1).all()


def test_declared_labels_are_learned_even_if_unshared() -> None:
    levels = [f"P-{i:04d}" for i in range(N_SUBJECTS)]
    table = visits(lambda i: levels[i])
    schema = understudy.infer_schema(table)
    ((name, described),) = schema.tables.items()
    patient, *others = described.columns
    declared: Any = {"kind": "category", "domain": {"levels": levels}}
    columns = (type(patient).model_validate(patient.model_dump() | declared), *others)
    described = described.model_copy(update={"columns": columns, "subject": ("patient",)})
    model = understudy.fit(
        table, schema=schema.model_copy(update={"tables": {name: described}}), **INDEPENDENT
    )
    assert set(model.sample(500, seed=2)["patient"]) <= set(levels)


def test_card_explains_that_rows_share_generated_subjects(tmp_path: Path) -> None:
    model = understudy.fit(visits(LABELS["prefixed"][0]), subject="patient", **INDEPENDENT)
    model.save(tmp_path / "visits.model")
    loaded = understudy.load(tmp_path / "visits.model")
    for fitted in (model, loaded):
        (warning,) = (text for text in fitted.card()["warnings"] if "'patient'" in text)
        assert "identifies entities, so samples contain made-up values" in warning
    pd.testing.assert_frame_equal(model.sample(50, seed=2), loaded.sample(50, seed=2))


def test_command_line_shows_the_explanation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    visits(LABELS["prefixed"][0]).to_csv(tmp_path / "visits.csv", index=False)
    options = ("--subject", "patient", "--synthesizer", "independent")
    assert run(["fit", str(tmp_path / "visits.csv"), "-o", str(tmp_path / "visits.model"), *options]) == 0
    shown = capsys.readouterr()
    assert "identifies entities" in " ".join((shown.out + shown.err).split())


def test_keys_that_are_stored_as_floats_are_learned_with_a_warning() -> None:
    table = pd.DataFrame({"customer_id": np.where(OWNERS == 0, np.nan, 9000.0 + OWNERS), "x": OWNERS % 7})
    warnings = understudy.fit(table, **INDEPENDENT).card()["warnings"]
    assert any("'customer_id' is learned as float, but its name indicates keys" in text for text in warnings)
    whole = understudy.fit(table.astype({"customer_id": "Int64"}), **INDEPENDENT)
    assert not set(whole.sample(300, seed=2)["customer_id"].dropna()) & set(table["customer_id"])
