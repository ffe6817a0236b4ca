"""Tests that the parts of texts with numbers and units are learned, and that samples have the same forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import fit, impute, sample
from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import SYNTHESIZERS, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.json_cells import find_json_cells
from understudy.tables.inference import infer_table
from understudy.tables.quantities import clip_days
from understudy.tables.schema import ColumnKind, TableSchema

N_ROWS = 400
_RNG = np.random.default_rng(7)
_Make = Callable[[int, float], str]


def _column(make: _Make, n: int = N_ROWS) -> list[str]:
    return [make(i, float(x)) for i, x in enumerate(_RNG.uniform(1, 100, n))]


def _fitted(name: str, texts: list[str | None], column: str = "x") -> Synthesizer:
    table = pa.table({column: texts, "n": np.arange(len(texts)) % 7})
    synthesizer = make_synthesizer(SYNTHESIZERS[name].parameters(name=name))
    return fit(synthesizer, table, infer_table(table).schema)


_QUANTITIES: list[tuple[_Make, str]] = [
    (lambda i, x: f"{100 + x:.0f}/{50 + x / 2:.0f}", r"\d+/\d+"),
    (lambda i, x: f"{x:.1f} {['KB', 'MB', 'GB'][i % 3]}", r"\d+\.\d [KMG]B"),
    (lambda i, x: f"{50 + x:.0f} kg" if i % 2 else f"{110 + 2 * x:.0f} lb", r"\d+ (kg|lb)"),
    (lambda i, x: f"{1 + i % 3}h {x:.0f}m" if i % 2 else f"{x:.0f} min", r"\d+h \d+m|\d+ min"),
    (lambda i, x: f"{'$€£'[i % 3]}{x:.2f}", r"[$€£]\d+\.\d\d"),
    (lambda i, x: f"{x * 90:,.2f} {['DR', 'CR'][i % 2]}", r"(\d,)?\d{1,3}\.\d\d (DR|CR)"),
    (lambda i, x: f"<{[5, 10][i % 2]}" if i % 4 == 0 else f"{x:.0f}", r"<5|<10|\d+"),
    (lambda i, x: f"{x:.0f}{['', ' 1/2', ' 1/4'][i % 3]}", r"\d+( 1/[24])?"),
    (lambda i, x: f"{x:.0f}-{x + i % 9:.0f}", r"\d+-\d+"),
    (lambda i, x: f"{x:.0f}°{i % 60:02d}'{x / 2:04.1f}\"{'NS'[i % 2]}", r"\d+°\d\d'\d\d\.\d\"[NS]"),
    (lambda i, x: f"{x:.0f}k km" if i % 2 else f"{x * 1000:,.0f} mi", r"\d+k km|\d{1,3}(,\d{3})* mi"),
    (lambda i, x: f"{x:.0f} x {2 * x:.0f} cm", r"\d+ x \d+ cm"),
    (lambda i, x: f"{x:.0f} ({x / 2:.1f}%)", r"\d+ \(\d+\.\d%\)"),
    (lambda i, x: f"{x:.1f} ± {x / 9:.1f}".replace(".", ","), r"\d+,\d ± \d+,\d"),
    (lambda i, x: "unknown" if i % 5 == 0 else f"{x:.0f}-{x + 10:.0f} kg", r"unknown|\d+-\d+ kg"),
]


@pytest.mark.parametrize(("make", "pattern"), _QUANTITIES)
@pytest.mark.parametrize("name", ["independent", "tree_chain"])
def test_texts_of_numbers_and_units_keep_their_forms(name: str, make: _Make, pattern: str):
    texts = _column(make)
    drawn = sample(_fitted(name, texts), 300, seed=1).column("x").to_pylist()
    assert all(re.fullmatch(pattern, text) for text in drawn)
    # Most texts are new, so they are not just chosen from the real texts.
    assert len(set(drawn)) > 20 or len(set(texts)) < 40
    forms = [{re.sub(r"[\d,]+", "", text) for text in side} for side in (texts, drawn)]
    assert forms[1] <= forms[0]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sku", lambda i, x: f"{100 + i % 89}-{x:.0f}{i % 10}"),
        ("version", lambda i, x: f"{i % 3}.{x:.0f}.{i % 10}"),
        ("room", lambda i, x: f"Room {x:.0f}{i % 10}"),
        ("icd10", lambda i, x: f"E{x:.0f}.{i % 10}"),
        ("mac", lambda i, x: ":".join(f"{(i * 7 + k * int(x)) % 256:02X}" for k in range(6))),
        ("file no", lambda i, x: f"{i}/{2000 + i % 20}"),
        ("order number", lambda i, x: f"{i} / {x:.0f}"),
        ("zip", lambda i, x: f"0{i % 10}{x:.0f}-{i % 9}00{i % 10}"),
        ("seat", lambda i, x: f"{x:.0f}{'ABC'[i % 3]}"),
        ("phone", lambda i, x: f"555-{1000 + i}"),
    ],
)
def test_codes_are_not_split_into_numbers(name: str, make: _Make):
    table = pa.table({name: _column(make)})
    cells, _ = find_json_cells(table, infer_table(table).schema)
    assert not cells.columns


def test_declared_identifier_is_not_split():
    table = pa.table({"x": _column(lambda i, x: f"{100 + x:.0f}/{50 + x / 2:.0f}")})
    (column,) = infer_table(table).schema.columns
    assert column.kind is not ColumnKind.identifier
    declared = TableSchema(columns=(column.model_copy(update={"kind": ColumnKind.identifier}),))
    assert not find_json_cells(table, declared)[0].columns


def test_parts_keep_their_relation_to_other_parts():
    texts = _column(lambda i, x: f"{100 + x:.0f}/{50 + x / 2:.0f}")
    drawn = sample(_fitted("tree_chain", texts), 500, seed=1).column("x").to_pylist()
    pairs = np.array([text.split("/") for text in drawn], float)
    # In the table, the second number is a function of the first.
    assert np.corrcoef(pairs.T)[0, 1] > 0.95


def test_rare_forms_are_never_sampled_and_missing_values_stay_missing():
    texts: list[str | None] = [*_column(lambda i, x: f"{x:.0f} kg" if i % 2 else f"{x:.0f} lb"), "3 st"]
    texts[::10] = [None] * len(texts[::10])
    model = _fitted("tree_chain", texts)
    drawn = sample(model, 400, seed=1).column("x").to_pylist()
    assert not any(text is not None and text.endswith("st") for text in drawn)
    # Four standard deviations of a share of 0.1 in 400 rows are 0.06.
    assert abs(drawn.count(None) / 400 - 0.1) < 0.06
    assert any("numbers with units" in warning for warning in model.card()["warnings"])


def test_models_with_number_texts_support_storage_conditions_and_imputation(tmp_path: Path):
    texts: list[str | None] = [*_column(lambda i, x: f"{x:.0f} kg" if i % 2 else f"{x:.0f} lb")]
    save_model(_fitted("tree_chain", texts), tmp_path / "m.model", extra={})
    model, _ = load_model(tmp_path / "m.model")
    where = {"x.form": {"equals": "# kg"}, "x.value": {"minimum": 50}}
    constraints = SamplingConstraints.model_validate({"conditions": [{"where": where, "n_rows": 40}]})
    drawn = sample(model, 40, seed=1, constraints=constraints).column("x").to_pylist()
    assert all(text.endswith(" kg") and int(text.split()[0]) >= 50 for text in drawn)
    refused = {"conditions": [{"where": {"x": {"minimum": "5 kg"}}, "n_rows": 5}]}
    with pytest.raises(InvalidInput, match=r"'x\.form', 'x\.value'"):
        sample(model, 5, seed=1, constraints=SamplingConstraints.model_validate(refused))
    completed = impute(model, pa.table({"x": [None, texts[0]], "n": [1, 2]}), seed=1).column("x").to_pylist()
    assert completed[1] == texts[0]
    assert re.fullmatch(r"\d+ (kg|lb)", completed[0])


def _dates(write: Callable[[int, int, int, int], str], n: int = N_ROWS) -> list[str]:
    rng = np.random.default_rng(11)
    drawn = zip(rng.integers(1950, 2010, n), rng.integers(1, 13, n), rng.integers(1, 29, n), strict=True)
    return [write(i, int(year), int(month), int(day)) for i, (year, month, day) in enumerate(drawn)]


@pytest.mark.parametrize(
    ("write", "pattern"),
    [
        (
            lambda i, y, m, d: f"{y}-{m if i % 5 else 0:02}-{d if i % 3 and i % 5 else 0:02}",
            r"(19|20)\d\d-(\d\d-\d\d)",
        ),
        (
            lambda i, y, m, d: (f"{y}-{m:02}-{d:02}", f"{y}-{m:02}", f"{y}")[i % 3],
            r"(19|20)\d\d(-\d\d(-\d\d)?)?",
        ),
        (lambda i, y, m, d: f"{d if i % 3 else 0:02}.{m:02}.{y}", r"\d\d\.\d\d\.(19|20)\d\d"),
        (lambda i, y, m, d: f"{d}/{m}/{y}" if i % 4 else f"00/00/{y}", r"\d{1,2}/\d{1,2}/(19|20)\d\d"),
    ],
)
@pytest.mark.parametrize("name", ["independent", "tree_chain"])
def test_dates_with_unknown_parts_keep_their_forms_and_ranges(
    name: str, write: Callable[[int, int, int, int], str], pattern: str
):
    texts = _dates(write)
    drawn = sample(_fitted(name, texts, "born"), 300, seed=1).column("born").to_pylist()
    assert all(re.fullmatch(pattern, text) for text in drawn)
    numbers = [[int(part) for part in re.split(r"[-./]", text) if len(part) < 3] for text in drawn]
    assert all(max(own, default=0) <= 31 and min(own, default=0) <= 12 for own in numbers)
    if name == "independent":
        return
    # The share of dates with zeros is preserved to within five standard errors of 300 rows.
    of_zeros = [np.mean([bool(re.search(r"(?<!\d)00(?!\d)", t)) for t in side]) for side in (texts, drawn)]
    assert abs(of_zeros[0] - of_zeros[1]) <= 5 * (0.25 / 300) ** 0.5


def test_days_after_the_end_of_a_month_are_clipped():
    assert clip_days("#-#-#", [[2023.0, 2024.0, 2023.0], [2.0, 2.0, 0.0], [31.0, 30.0, 0.0]])[2] == [
        28,
        29,
        0,
    ]
    assert clip_days("#/#/#", [[31.0, 5.0], [4.0, 12.0], [1999.0, 1999.0]])[0] == [30, 5]
    assert clip_days("#/#/#", [[4.0, 12.0], [31.0, 13.0], [1999.0, 1999.0]])[1] == [30, 13]
