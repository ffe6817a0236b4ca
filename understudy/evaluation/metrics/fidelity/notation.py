"""Notation: the share of synthetic values that are written in the same way as the column's real values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import ColumnEncoder, EncodedTable, is_missing
from understudy.evaluation.forms import Forms, shares_in_form
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.distributions import TEMPORAL_KINDS
from understudy.evaluation.statistics.entities import Codes
from understudy.evaluation.statistics.proportions import score_interval
from understudy.evaluation.statistics.written_values import Floats, values_of
from understudy.tables.notation import DateNotation, NumberNotation, PlainNotation
from understudy.tables.notations import parse, write
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.notations.writing import is_applicable
from understudy.tables.schema import ColumnKind

# Maximum number of rows per table, and minimum number of known real values per column.
N_ROWS_MAX = 20_000
N_KNOWN_MIN = 100
# Maximum number of decimals to compare. Columns of numbers with more decimals count as unrounded.
N_DECIMALS_MAX = 6
# Resolutions of times, in seconds.
RESOLUTIONS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
# Default patterns of times, for columns without a notation.
PLAIN_PATTERNS = {
    ColumnKind.date: "%Y-%m-%d",
    ColumnKind.timestamp: "%Y-%m-%d %H:%M:%S",
    ColumnKind.time: "%H:%M:%S",
}
# Minimum share of the real values that must have a property for the property to be compared.
SHARE_MIN = 0.999
# Confidence level that corresponds to three standard errors. The level is high because the worst of many
# columns determines the score.
CONFIDENCE = 0.9973

Property = Literal["notation", "decimals", "width", "resolution", "form"]
Shares = tuple[Property, float, float]


class ColumnNotation(BaseModel):
    """The property with the largest difference between a column's real and synthetic values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    property: Annotated[
        Property,
        Field(
            description="Property of the values: `notation`, `decimals` (number of decimals), `width` "
            "(digits of zero-padded numbers), `resolution` (of times), or `form` (sequence of letters, "
            "digits and punctuation)."
        ),
    ]
    score: Annotated[
        float, Field(description="Score of the column: 1 minus the decrease from `real` to `synthetic`.")
    ]
    real: Annotated[float, Field(description="Share of the real values with the property.")]
    synthetic: Annotated[float, Field(description="Share of the synthetic values with the property.")]


class NotationResult(MetricResult):
    """Share of synthetic values that have the notation and form of their column.

    The worst column determines the score.
    """

    metric: Literal["notation"] = "notation"
    columns: Annotated[list[ColumnNotation], Field(description="Scored columns, worst first.")]


def score(comparison: Comparison) -> NotationResult | UnscoredResult:
    """Return the share of values in the notation and form of their column, for the worst column."""
    rng = comparison.rng("notation")
    real, synthetic = (table.draw(N_ROWS_MAX, rng) for table in (comparison.real, comparison.synthetic))
    examined = [
        *(_scored(comparison, i, real, synthetic) for i in range(len(comparison.columns))),
        *(_key(comparison, i, real, synthetic) for i in range(len(synthetic.keys))),
    ]
    compared = sorted((column for column in examined if column is not None), key=lambda column: column.score)
    if not compared:
        return UnscoredResult(reason=f"needs a column of {N_KNOWN_MIN} real values with a common form")
    return NotationResult(
        score=compared[0].score,
        columns=compared,
        n_rows={"real": real.n_rows, "synthetic": synthetic.n_rows},
    )


def _scored(
    comparison: Comparison, i: int, real: EncodedTable, synthetic: EncodedTable
) -> ColumnNotation | None:
    encoder = comparison.encoder.columns[i]
    name = encoder.column.name
    known = [table.columns[i][~is_missing(table.columns[i])] for table in (real, synthetic)]
    if encoder.categories is not None:
        forms = Forms.of(pa.array(encoder.categories, pa.large_string()))
        return _of_texts(name, forms, known[0].astype(np.int64), known[1].astype(np.int64))
    if len(known[0]) < N_KNOWN_MIN or len(known[1]) == 0:
        return None
    written = None if comparison.is_reference else comparison.notations.get(name)
    numbers = [values.astype(np.float64) for values in known]
    return _worst(name, _properties(encoder, numbers[0], numbers[1], written), len(numbers[1]))


def _key(
    comparison: Comparison, i: int, real: EncodedTable, synthetic: EncodedTable
) -> ColumnNotation | None:
    key = comparison.key_columns[i]
    codes = [table.key(i) for table in (real, synthetic)]
    return _of_texts(key.column.name, key.forms, *(part[part >= 0] for part in codes))


def _of_texts(name: str, forms: Forms, real: Codes, synthetic: Codes) -> ColumnNotation | None:
    if len(real) < N_KNOWN_MIN or len(synthetic) == 0:
        return None
    shares = shares_in_form(forms, real, synthetic)
    return None if shares is None else _worst(name, [("form", *shares)], len(synthetic))


def _worst(name: str, properties: list[Shares], n_rows: int) -> ColumnNotation | None:
    compared = [
        ColumnNotation(
            column=name,
            property=property_,
            score=_score(property_, real, synthetic, n_rows),
            real=real,
            synthetic=synthetic,
        )
        for property_, real, synthetic in properties
        if real > 0
    ]
    return min(compared, key=lambda one: one.score, default=None)


def _score(property_: Property, real: float, synthetic: float, n_rows: int) -> float:
    """Return 1 minus the decrease in the share. For forms, only a significant decrease counts."""
    if property_ == "form":
        _, synthetic = score_interval(synthetic, n_rows, confidence=CONFIDENCE)
    return round(1 - max(0.0, real - synthetic), 6)


def _properties(
    encoder: ColumnEncoder, real: Floats, synthetic: Floats, written: AnyNotation | None
) -> list[Shares]:
    """Return the shares of real and synthetic values with each property of the real values."""
    kind, notation = encoder.column.kind, encoder.column.notation
    notation = None if isinstance(notation, PlainNotation) else notation
    properties: list[Shares] = []
    step = _resolution(real) if kind in TEMPORAL_KINDS else _decimal_step(real)
    if step is not None:
        name: Property = "resolution" if kind in TEMPORAL_KINDS else "decimals"
        properties.append((name, _on_grid(real, step), _on_grid(synthetic, step)))
    if isinstance(notation, NumberNotation) and notation.width:
        limit = 10.0**notation.width
        shares = [float(np.mean(np.abs(values) < limit)) for values in (real, synthetic)]
        properties.append(("width", shares[0], shares[1]))
    if notation is not None or written is not None:
        own = notation or _plain(kind)
        properties.append(
            ("notation", _parsed(encoder, real, own, own), _parsed(encoder, synthetic, written or own, own))
        )
    return properties


def _resolution(real: Floats) -> float | None:
    return next((step for step in RESOLUTIONS if _on_grid(real, step) >= SHARE_MIN), None)


def _decimal_step(real: Floats) -> float | None:
    steps = (10.0**-n for n in range(N_DECIMALS_MAX + 1))
    return next((step for step in steps if _on_grid(real, step) >= SHARE_MIN), None)


def _on_grid(values: Floats, step: float) -> float:
    """Return the share of values that are multiples of a step, within the precision of floats."""
    scaled = values / step
    return float(np.mean(np.abs(scaled - np.rint(scaled)) <= 1e-6 + 1e-12 * np.abs(scaled)))


def _plain(kind: ColumnKind) -> AnyNotation:
    """Return the default notation, for columns without a notation."""
    pattern = PLAIN_PATTERNS.get(kind)
    return NumberNotation() if pattern is None else DateNotation(pattern=pattern)


def _parsed(encoder: ColumnEncoder, values: Floats, written: AnyNotation, own: AnyNotation) -> float:
    """Return the share of values that do not change if written as `written` and parsed as `own`."""
    column = values_of(encoder.column.kind, np.unique(values).tolist())
    if not is_applicable(written, column.type) or not is_applicable(own, column.type):
        return 1.0
    texts = write(column, written)
    # `Any` is needed because Arrow's stubs do not support types that are only known at run time.
    parsed: Any = parse(texts, own, column.type)
    if pa.types.is_floating(column.type):
        expected = _rounded(np.unique(values), own)
        close = np.isclose(parsed.to_numpy(zero_copy_only=False), expected, rtol=1e-9, atol=1e-9)
    else:
        equal: Any = pc.equal(parsed, column)
        close = equal.fill_null(False).to_numpy(zero_copy_only=False)
    is_same = np.asarray(close)[np.unique(values, return_inverse=True)[1]]
    return float(is_same.mean())


def _rounded(numbers: Floats, notation: AnyNotation) -> Floats:
    """Return numbers rounded to the number of decimals in the notation."""
    decimals = notation.decimals if isinstance(notation, NumberNotation) else None
    return numbers if decimals is None else np.round(numbers, decimals)


NOTATION = Metric(
    name="notation",
    title="Notation",
    summary="Share of synthetic values that are written like the real values of their column: they can be "
    "parsed in its notation, and have its decimals, width, resolution or sequence of letters and digits. The "
    "worst column determines the score.",
    concern="values are not written like the real values, so programs may not be able to read them",
    source="Compare SDMetrics: RegexAdherence, here with forms found in the real column",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=NotationResult,
    score=score,
    real_baseline=RealBaseline.split,
)
