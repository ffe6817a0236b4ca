"""Fit the columns and the entities of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from understudy.synthesizers.codes import find_labels
from understudy.synthesizers.contexts import LearnRun
from understudy.synthesizers.entities import steps
from understudy.synthesizers.entities.groups import ROWS, Entities, EntityGroup, has_level_for_each
from understudy.synthesizers.entities.keys import find_keys
from understudy.synthesizers.reference_tables import declare_public_levels
from understudy.tables.schema import TableSchema
from understudy.transformers import generated
from understudy.transformers.base import Codes, Subjects, Transformer
from understudy.transformers.generated.recognition import recognize
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer
from understudy.transformers.table_fitting import Execution, declared_subjects, fit_table

if TYPE_CHECKING:
    from understudy.synthesizers.entities.arrangement import Arranged
    from understudy.synthesizers.entities.detection import FoundGroup


@dataclass(frozen=True, eq=False, repr=False)
class FittedTable:
    """Transformers and codes of a table's columns, its entities, and the entity of each row in each group."""

    transformer: TableTransformer
    codes: list[Codes]
    entities: Entities
    found: list[FoundGroup]
    subjects_of: Mapping[str, Subjects]


def fit_columns(rows: pa.Table, schema: TableSchema, run: LearnRun) -> FittedTable:
    """Fit the columns of a table and its entities.

    Raises
    ------
    InvalidInput
        If the table has no rows or does not conform to the schema, or if a column cannot be synthesized.
    """
    keys = find_keys(rows, schema)
    found = steps.make_groups(rows, schema, keys) if keys else []
    subjects_of = _subjects_of(rows, schema, found)
    execution = Execution(run.locale, run.n_threads, run.context.report)
    declared = declare_public_levels(rows, schema, run.references)
    fitted, codes = fit_table(rows, declared, execution, subjects_of, find_labels(rows, declared))
    fitted = replace(fitted, schema=schema)
    arranged: list[Arranged] = []
    if found:
        strata = [steps.strata_of(own, fitted.columns, codes) for own in found]
        arranged = steps.arrange_entities(found, run.seed, strata)
    groups = (_fit_group(own, order, codes) for own, order in zip(found, arranged, strict=True))
    entities = Entities(tuple(_with_distinct(group, fitted) for group in groups))

    def refit(j: int) -> Transformer:
        column, values = schema.columns[j], rows.column(j)
        recognition = recognize(column, values)
        assert recognition is not None
        subjects = subjects_of.get(column.name, declared_subjects(rows, schema))
        return generated.fit_generated(column, values, recognition, run.locale, subjects)[0]

    fitted = _with_visible_sources(fitted, entities, refit)
    return FittedTable(fitted, codes, entities, found, subjects_of)


def _subjects_of(rows: pa.Table, schema: TableSchema, found: list[FoundGroup]) -> dict[str, Subjects]:
    """Return, for each column whose values at least k entities must share, the entity of each row.

    If the schema declares a subject, only entities that are coarser than the subject are returned.
    """
    subjects = declared_subjects(rows, schema)
    return {
        schema.columns[j].name: group.entities
        for group in found
        if subjects is None or steps.is_determined(group.entities, subjects)
        for j in group.columns
    }


def _fit_group(own: FoundGroup, arranged: Arranged, codes: list[Codes]) -> EntityGroup:
    first = steps.first_rows_of(own.entities)[arranged.order]
    known_codes = {j: codes[j][first] for j in own.keys if j in own.columns}
    return EntityGroup(
        own.keys, own.columns, own.labels, own.source, arranged.grouping, known_codes, own.n_parts
    )


def _with_distinct(group: EntityGroup, table: TableTransformer) -> EntityGroup:
    """Return the group with `distinct` set to the categories that have a separate level for each entity.

    A level that belongs to a single entity is rare, so all levels of these categories are made up.
    """
    n = len(group.grouping.sizes)
    others = [j for j in group.columns if j not in group.keys]
    return replace(group, distinct=tuple(j for j in others if has_level_for_each(table.columns[j], n)))


def _with_visible_sources(
    table: TableTransformer, entities: Entities, refit: Callable[[int], Transformer]
) -> TableTransformer:
    """Return a table in which an entity's generated values do not depend on columns sampled for each row.

    Otherwise, the name or the identifier of an entity would vary from row to row.

    Parameters
    ----------
    refit : callable
        Function that fits the transformer of a column without using other columns.
    """

    def settle(j: int, column: Transformer) -> Transformer:
        if not isinstance(column, GeneratedTransformer):
            return column
        generator = column.generator
        if isinstance(generator, generated.Personal):
            return replace(column, generator=_person_seen(generator, lambda place: _sees(entities, j, place)))
        if isinstance(generator, generated.PlacedCodes):
            places = tuple(own for own in generator.places if _sees(entities, j, own.place))
            return replace(column, generator=replace(generator, places=places) if places else generator.rest)
        if isinstance(generator, generated.Composed):
            sources = [table.schema.names.index(name) for name in generator.sources]
            return column if all(_sees(entities, j, place) for place in sources) else refit(j)
        return column

    return replace(table, columns=tuple(settle(j, column) for j, column in enumerate(table.columns)))


def _person_seen(generator: generated.Personal, sees: Callable[[int], bool]) -> generated.Personal:
    """Return the personal data generator without the columns (sex, country, region) that it must not use."""
    sex, country, region = generator.sex_column, generator.country_column, generator.region_column
    if sex is not None and not sees(sex.place):
        generator = replace(generator, sex_column=None)
    if country is not None and not sees(country.place):
        forms = generator.phone_forms
        if forms is not None:
            forms = replace(forms, counts=forms.counts[:1])
        generator = replace(generator, country_column=None, is_international=False, phone_forms=forms)
    if region is not None and not sees(region.place):
        generator = replace(generator, region_column=None)
    return generator


def _sees(entities: Entities, j: int, other: int) -> bool:
    """Return whether the values of a generated column may depend on another column."""
    own = entities.group_of.get(j, entities.label_of.get(j, ROWS))
    return own == ROWS or any(other in entities.groups[g].columns for g in (own, *entities.coarser(own)))
