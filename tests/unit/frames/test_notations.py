"""Tests that notations are inferred from text columns in frames in the same way as from files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import understudy
from understudy.errors import InvalidInput

NOTATIONS = {
    "amount": [f"${900 + 13 * i:,}.50" for i in range(120)],
    "share": [f"{i % 90},5 %" if i % 7 else "n/a" for i in range(120)],
    "day": [f"{1 + i % 28:02}-{('Jan', 'Jun', 'Dec')[i % 3]}-2019" for i in range(120)],
    "at": [f"{1 + i % 28:02}.03.2021 {i % 24:02}:{i % 60:02}" for i in range(120)],
    "code": [f"{i % 12:05}" for i in range(120)],
}
FORMS = {
    "amount": r"\$[0-9]{1,3}(,[0-9]{3})?\.[0-9]{2}",
    "share": r"[0-9]{1,2},[0-9] %|n/a",
    "day": r"[0-9]{2}-[A-Z][a-z]{2}-2019",
    "at": r"[0-9]{2}\.03\.2021 [0-9]{2}:[0-9]{2}",
    "code": r"[0-9]{5}",
}
Make = Callable[[dict[str, list[str]]], Any]
FRAMES: dict[str, Make] = {
    "pandas": pd.DataFrame,
    "objects": lambda columns: pd.DataFrame(columns).astype(object),
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "large": lambda columns: pa.table(columns, pa.schema([(name, pa.large_string()) for name in columns])),
    "views": lambda columns: pa.table(columns, pa.schema([(name, pa.string_view()) for name in columns])),
}


def types_of(frame: Any) -> Any:
    """Return the column types of a frame."""
    return frame.schema if isinstance(frame, pa.Table | pl.DataFrame) else frame.dtypes.to_dict()


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_texts_are_learned_as_values_and_sampled_as_texts(tmp_path: Path, make: Make):
    frame = make(NOTATIONS)
    model = understudy.fit(frame, seed=1)
    kinds = [str(column.kind) for column in model.schema.tables["table"].columns]
    assert kinds[:4] == ["float", "float", "date", "timestamp"]
    rows: Any = model.sample(80, seed=2)
    assert types_of(rows) == types_of(frame)
    for name, form in FORMS.items():
        values = rows[name].to_pylist() if isinstance(rows, pa.Table) else list(rows[name])
        assert [text for text in values if not re.fullmatch(form, text)] == [], name
    model.save(tmp_path / "a.model")
    assert understudy.load(tmp_path / "a.model").sample(80, seed=2).equals(rows)  # type: ignore[union-attr]


def test_evaluation_reads_texts_of_both_frames_in_the_notation_of_the_real_one():
    frame = pd.DataFrame(NOTATIONS)
    model = understudy.fit(frame, seed=1)
    rows = model.sample(120, seed=2)
    assert understudy.evaluate(frame, rows, schema=model).verdict.outcome
    assert understudy.evaluate(frame, rows).verdict.outcome


def test_missing_texts_are_imputed_in_the_notation_of_the_column():
    frame = pd.DataFrame(NOTATIONS)
    gaps = frame.assign(day=frame["day"].where(frame.index % 3 > 0))
    rows: Any = understudy.fit(frame, seed=1).impute(gaps, seed=2)
    assert rows["day"].str.fullmatch(FORMS["day"]).all()
    assert (rows["day"] == frame["day"])[frame.index % 3 > 0].all()


def test_plain_numbers_stay_text_and_invalid_values_are_counted():
    texts = {"n": [str(i) for i in range(60)], "d": ["2020-01-05"] * 40 + ["soon"] * 20}
    schema, findings = understudy.infer_schema(pd.DataFrame(texts), with_findings=True)
    assert {column.arrow_type for column in schema.tables["table"].columns} <= {"string", "large_string"}
    nearly = {"d": ["2020-01-05"] * 58 + ["soon"] * 2}
    _, findings = understudy.infer_schema(pd.DataFrame(nearly), with_findings=True)
    assert "2 of 60 values cannot be read as dates" in findings.tables["table"].columns["d"].evidence


def test_stray_values_in_frames_are_read_as_missing():
    strays = {"amount": ["approx. 5", *NOTATIONS["amount"][1:]], "day": [*NOTATIONS["day"][1:], "mid May"]}
    frame = pd.DataFrame(NOTATIONS | strays)
    model = understudy.fit(frame, seed=1)
    assert all(model.schema.tables["table"].column(name).notation.has_strays for name in strays)
    rows: Any = model.sample(120, seed=2)
    assert {
        text for name in strays for text in rows[name].dropna() if not re.fullmatch(FORMS[name], text)
    } == set()
    assert understudy.evaluate(frame, rows, schema=model).verdict.outcome
    with pytest.raises(InvalidInput, match=r"'amount' has 120 values that are not in the notation"):
        model.impute(frame.assign(amount="unknown amount"))
