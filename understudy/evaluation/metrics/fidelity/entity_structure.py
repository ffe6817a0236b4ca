"""Entity structure: rows per entity, columns that an entity determines, and unique combinations."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.entity_discovery import (
    N_ENTITIES_MIN,
    N_KNOWN_MIN,
    Entity,
    combined_codes,
    find_entities,
    usable_attributes,
)
from understudy.evaluation.statistics.entities import Codes, RowCounts, duplicate_share


class EntityAttribute(BaseModel):
    """A column that has the same value in all rows of an entity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    constant_real: Annotated[
        float,
        Field(
            description="Share of real entities that have the same value in all rows, among entities with "
            "several rows."
        ),
    ]
    constant_synthetic: Annotated[
        float | None,
        Field(
            description="Share of synthetic entities that have the same value in all rows, among entities "
            "with several rows. Null if the synthetic table has fewer than 20 entities with several rows."
        ),
    ]


class UniqueCombination(BaseModel):
    """A combination of columns whose values are unique in the real table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: list[str]
    duplicated: Annotated[
        float,
        Field(
            description="Share of synthetic rows that repeat a combination of values, beyond what chance "
            "explains."
        ),
    ]


class EntityColumn(BaseModel):
    """Scores of one column that identifies entities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    score: Annotated[
        float,
        Field(
            description="Lowest of these values: `rows_similarity`; for each attribute, 1 minus the decrease "
            "from `constant_real` to `constant_synthetic`; for each combination, 1 minus its `duplicated` "
            "value."
        ),
    ]
    rows_per_entity_real: Annotated[
        float,
        Field(
            description="Mean number of rows per entity in the real table, rounded to three "
            "significant digits."
        ),
    ]
    rows_per_entity_synthetic: float
    rows_similarity: Annotated[
        float,
        Field(
            description="Similarity between the two tables in the number of rows per entity. The tables are "
            "first reduced to the same size. Differences that chance explains do not lower the "
            "similarity."
        ),
    ]
    attributes: Annotated[
        list[EntityAttribute],
        Field(description="Columns that have the same value in all rows of an entity, worst first."),
    ] = []
    unique: Annotated[
        list[UniqueCombination],
        Field(
            description="Column combinations that include this column and are unique in the real table, "
            "worst first."
        ),
    ] = []


class EntityStructureResult(MetricResult):
    """Similarity of the structure of entities in the two tables. The worst column determines the score."""

    metric: Literal["entity_structure"] = "entity_structure"
    entities: Annotated[list[EntityColumn], Field(description="Columns that identify entities, worst first.")]


def score(comparison: Comparison) -> EntityStructureResult | UnscoredResult:
    """Return the lowest score of the columns that identify entities."""
    rng = comparison.rng("entity_structure")
    entities = comparison.once_of_real("entities", lambda one: find_entities(one, one.rng("entities")))
    if not entities:
        return UnscoredResult(
            reason=f"needs an identifying column with {N_KNOWN_MIN} known real values of {N_ENTITIES_MIN} "
            "entities"
        )
    compared = sorted((_compare(entity, comparison, rng) for entity in entities), key=lambda one: one.score)
    return EntityStructureResult(
        score=compared[0].score,
        entities=compared,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _compare(entity: Entity, comparison: Comparison, rng: np.random.Generator) -> EntityColumn:
    real, synthetic = entity.field.codes(comparison.real, comparison.synthetic)
    similarity = 1.0 if entity.is_unique else _rows_similarity(real, synthetic, rng)
    attributes = _attributes(entity, comparison, rng)
    unique = _unique(entity, comparison.real, comparison.synthetic)
    parts = [
        similarity,
        *(
            1 - max(0.0, one.constant_real - one.constant_synthetic)
            for one in attributes
            if one.constant_synthetic is not None
        ),
        *(1 - one.duplicated for one in unique),
    ]
    return EntityColumn(
        column=entity.field.name,
        score=min(parts),
        rows_per_entity_real=_rounded(RowCounts.of(real).mean),
        rows_per_entity_synthetic=_rounded(RowCounts.of(synthetic).mean),
        rows_similarity=similarity,
        attributes=attributes,
        unique=unique,
    )


def _rows_similarity(real: Codes, synthetic: Codes, rng: np.random.Generator) -> float:
    """Compare the number of rows per entity between tables of equal size, and return the similarity.

    The larger table is downsampled to the size of the smaller table in two ways: by random rows, which splits
    entities, and by whole entities. A smaller synthetic table may have been sampled either way, so the higher
    similarity counts.
    """
    known = [codes[codes >= 0] for codes in (real, synthetic)]
    n_rows = min(map(len, known))
    if n_rows == 0:
        return 0.0
    by_rows, whole = (
        [RowCounts.of(cut(codes, n_rows, rng)) for codes in known] for cut in (_cut_rows, _cut_entities)
    )
    return max(one.similarity(other) for one, other in (by_rows, whole))


def _cut_rows(codes: Codes, n_rows: int, rng: np.random.Generator) -> Codes:
    return codes if len(codes) == n_rows else rng.choice(codes, n_rows, replace=False)


def _cut_entities(codes: Codes, n_rows: int, rng: np.random.Generator) -> Codes:
    if len(codes) == n_rows:
        return codes
    _, numbers, counts = np.unique(codes, return_inverse=True, return_counts=True)
    order = rng.permutation(len(counts))
    n_drawn = int(np.searchsorted(np.cumsum(counts[order]), n_rows)) + 1
    return codes[np.isin(numbers, order[:n_drawn])]


def _attributes(entity: Entity, comparison: Comparison, rng: np.random.Generator) -> list[EntityAttribute]:
    real, synthetic = (
        list(usable_attributes(entity, table, rng)) for table in (comparison.real, comparison.synthetic)
    )
    attributes = [
        EntityAttribute(
            column=field.name,
            constant_real=n_constant_real / n_real,
            constant_synthetic=n_constant / n if n >= N_ENTITIES_MIN else None,
        )
        for (field, n_real, n_constant_real), (_, n, n_constant) in zip(real, synthetic, strict=True)
    ]
    return sorted(
        attributes, key=lambda one: 1.0 if one.constant_synthetic is None else one.constant_synthetic
    )


def _unique(entity: Entity, real: EncodedTable, synthetic: EncodedTable) -> list[UniqueCombination]:
    codes_real, codes = entity.field.codes(real, synthetic)
    combinations = []
    if entity.is_unique:
        n_real = int(np.sum(codes_real >= 0))
        combinations.append(([entity.field.name], duplicate_share(codes[codes >= 0], n_real)))
    for partner in entity.partners:
        combined = combined_codes(codes, partner.values(synthetic), partner)
        n_real = len(combined_codes(codes_real, partner.values(real), partner))
        combinations.append(([entity.field.name, partner.name], duplicate_share(combined, n_real)))
    combinations.sort(key=lambda one: -one[1])
    return [UniqueCombination(columns=columns, duplicated=share) for columns, share in combinations]


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


ENTITY_STRUCTURE = Metric(
    name="entity_structure",
    title="Entity structure",
    summary="Similarity of the structure of entities, such as customers and orders: the number of rows per "
    "entity, the columns that an entity determines, and the combinations of columns that are unique. The "
    "worst column determines the score.",
    concern="entities have the wrong number of rows, contradictory attributes or duplicated keys",
    source="Compare SDMetrics: CardinalityShapeSimilarity and KeyUniqueness, for keys between tables",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=EntityStructureResult,
    score=score,
    real_baseline=RealBaseline.split,
)
