"""Read and write the metadata JSON of SDV (Synthetic Data Vault), for users who migrate from it.

The versions SINGLE_TABLE_V1, MULTI_TABLE_V1 and V1 are supported. The public SDV documentation describes the
format in the section "Metadata JSON". The SDV package is neither used nor required.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from understudy.errors import InvalidInput
from understudy.tables.findings import Findings, TableFindings
from understudy.tables.notation import DateNotation
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, DatasetSchema, TableSchema
from understudy.tables.schema_changes import ColumnChange, SchemaChange

Json = dict[str, Any]

SINGLE, MULTI, V1 = "SINGLE_TABLE_V1", "MULTI_TABLE_V1", "V1"
_NUMBERS = {ColumnKind.integer, ColumnKind.float, ColumnKind.decimal, ColumnKind.duration}
_TIMES = {ColumnKind.date, ColumnKind.time, ColumnKind.timestamp}

# The SDV sdtypes for each kind. All are accepted when metadata is read, and the first is written.
_SDTYPES: dict[ColumnKind, tuple[str, ...]] = {
    ColumnKind.category: ("categorical",),
    ColumnKind.boolean: ("boolean",),
    ColumnKind.identifier: ("id", "unknown"),
    ColumnKind.text: ("text",),
    ColumnKind.name: ("name", "first_name", "last_name", "full_name"),
    ColumnKind.email: ("email", "free_email", "company_email", "safe_email"),
    ColumnKind.phone: ("phone_number",),
    ColumnKind.address: ("address", "street_address", "street_name", "secondary_address", "city"),
    ColumnKind.ip: ("ipv4_address", "ipv6_address"),
    ColumnKind.card: ("credit_card_number",),
    ColumnKind.iban: ("iban",),
    ColumnKind.national_id: ("ssn",),
    ColumnKind.postal_code: ("postcode", "zipcode", "postalcode"),
    ColumnKind.coordinates: ("latitude", "longitude", "coordinate"),
    ColumnKind.url: ("url", "uri"),
}
_KINDS = {sdtype: kind for kind, sdtypes in _SDTYPES.items() for sdtype in sdtypes}

# The SDV computer representations of numbers, and the equivalent Arrow types.
_REPRESENTATIONS = {
    **{f"Int{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "Float": "double",
}
_DATE_MARKS = ("%d", "%m", "%Y", "%y", "%b", "%B", "%j")
_CLOCK_MARKS = ("%H", "%I", "%M", "%S", "%f")

# Entries that a schema cannot represent. Each entry causes a warning.
_UNUSED = ("alternate_keys", "sequence_index", "column_relationships", "constraints")


class _Column(BaseModel):
    model_config = ConfigDict(extra="allow")

    sdtype: str
    computer_representation: str | None = None
    datetime_format: str | None = None
    regex_format: str | None = None


class _Table(BaseModel):
    model_config = ConfigDict(extra="allow")

    columns: dict[str, _Column]
    primary_key: str | list[str] | None = None
    sequence_key: str | list[str] | None = None


@dataclass(frozen=True)
class MetadataChange:
    """The changes to a schema that result from metadata, and warnings about unused entries."""

    change: SchemaChange
    warnings: list[str]


def read_metadata(document: object, schema: TableSchema, *, table: str | None = None) -> MetadataChange:
    """Return the changes to a table's schema that result from SDV metadata.

    Parameters
    ----------
    document : object
        The metadata as parsed JSON.
    schema : TableSchema
        The current schema of the table. Properties that the metadata does not specify, such as the type of a
        number, do not change.
    table : str, optional
        The name of the table, which selects an entry in metadata with several tables.

    Raises
    ------
    InvalidInput
        If the document is not SDV metadata, or if the document does not describe the table.
    """
    described = _table_of(document, table)
    changes, warnings = {}, []
    for name, metadata in described.columns.items():
        column = schema.column(name)
        change = _change(column, metadata)
        if change is None:
            warnings.append(f"Column {name!r} has an unknown sdtype; its kind stays {column.kind.value}.")
        elif change.kind is not column.kind or change.model_fields_set & {"arrow_type", "notation"}:
            changes[name] = change
        if metadata.regex_format is not None:
            warnings.append(
                f"The regex_format of column {name!r} is not used; patterns are learned from the table."
            )
    warnings += [f"{key} is not used." for key in _UNUSED if (described.model_extra or {}).get(key)]
    roles = {"primary_key": described.primary_key, "subject": described.sequence_key}
    named = {role: (key,) if isinstance(key, str) else tuple(key) for role, key in roles.items() if key}
    return MetadataChange(SchemaChange.model_validate({"columns": changes, **named}), warnings)


def is_metadata(document: object) -> bool:
    """Return whether parsed JSON has the version entry of SDV metadata."""
    return isinstance(document, dict) and "METADATA_SPEC_VERSION" in document


def write_metadata(schema: DatasetSchema, findings: Findings) -> Json:
    """Return the SDV metadata (version V1) of a dataset's tables and relationships.

    If the schema declares no relationships, the candidate relationships are written. The primary key of a
    table is the declared key. If no key is declared, the primary key is the column that a relationship refers
    to. If no relationship refers to the table, the primary key is the first candidate, provided that its kind
    is generated. Columns of relationships and primary keys have the sdtype `id` regardless of their kind,
    because SDV rejects relationships between columns of different sdtypes. SDV does not support composite
    keys, or relationships to a column other than the parent's primary key. Such keys and relationships are
    omitted.
    """
    related = [
        relationship
        for relationship in schema.relationships or findings.relationships
        if len(relationship.child_columns) == 1 and relationship.parent in schema.tables
    ]
    # Candidates are sorted by confidence, so the first relationship to a table determines its key.
    keys = {relationship.parent: relationship.parent_columns[0] for relationship in reversed(related)}
    keys |= {name: t.primary_key[0] for name, t in schema.tables.items() if len(t.primary_key) == 1}
    related = [each for each in related if each.parent_columns[0] == keys[each.parent]]
    tables = {
        name: _written(
            table,
            keys.get(name) or _likely_key(table, findings.table(name)),
            {each.child_columns[0] for each in related if each.child == name},
        )
        for name, table in schema.tables.items()
    }
    relationships = [
        {
            "parent_table_name": relationship.parent,
            "parent_primary_key": relationship.parent_columns[0],
            "child_table_name": relationship.child,
            "child_foreign_key": relationship.child_columns[0],
        }
        for relationship in related
    ]
    return {"METADATA_SPEC_VERSION": V1, "tables": tables, "relationships": relationships}


def _table_of(document: object, table: str | None) -> _Table:
    if not is_metadata(document):
        raise _refused("METADATA_SPEC_VERSION is missing")
    assert isinstance(document, dict)
    version = document["METADATA_SPEC_VERSION"]
    if version not in (SINGLE, MULTI, V1):
        raise _refused(f"METADATA_SPEC_VERSION is not {SINGLE}, {MULTI} or {V1}")
    described = document if version == SINGLE else _one_of(document.get("tables"), table)
    try:
        return _Table.model_validate(described)
    except ValidationError as error:
        place = "/".join(str(part) for part in error.errors()[0]["loc"])
        raise _refused(f"{place} is missing or malformed") from None


def _one_of(tables: object, table: str | None) -> object:
    if not isinstance(tables, dict) or not tables:
        raise _refused("it contains no tables")
    matching = [tables[table]] if table in tables else list(tables.values())
    if len(matching) != 1:
        raise InvalidInput(
            f"The metadata describes {len(tables)} tables, but not {table!r}. Choose one of its tables."
            if table is not None
            else f"The metadata describes {len(tables)} tables. Choose the table to read.",
            code="invalid_parameters",
        )
    return matching[0]


def _refused(reason: str) -> InvalidInput:
    return InvalidInput(
        f"This is not valid SDV metadata: {reason}. Send the JSON that SDV wrote.", code="invalid_parameters"
    )


def _change(column: Column, metadata: _Column) -> ColumnChange | None:
    """Return the change to a column, or None if the sdtype is unknown."""
    if metadata.sdtype == "numerical":
        type_ = _REPRESENTATIONS.get(metadata.computer_representation or "")
        if column.kind in _NUMBERS:
            return ColumnChange(kind=column.kind)
        kind = ColumnKind.integer if type_ and "int" in type_ else ColumnKind.float
        return ColumnChange(kind=kind, arrow_type=type_)
    if metadata.sdtype == "datetime":
        return _date_change(column, metadata.datetime_format)
    new_kind = _KINDS.get(metadata.sdtype)
    return None if new_kind is None else ColumnChange(kind=new_kind)


def _date_change(column: Column, datetime_format: str | None) -> ColumnChange:
    """Return the change to a date column. It includes a notation if the format is not ISO 8601."""
    kind = column.kind if column.kind in _TIMES else _kind_of_format(datetime_format)
    formats = {ColumnKind.date: "%Y-%m-%d", ColumnKind.time: "%H:%M:%S"}
    if datetime_format in (None, formats.get(kind, "%Y-%m-%d %H:%M:%S"), _pattern_of(column)):
        return ColumnChange(kind=kind)
    try:
        notation = DateNotation(pattern=str(datetime_format).replace("%f", "%6f"))
    except ValidationError:
        return ColumnChange(kind=kind)
    return ColumnChange(kind=kind, notation=notation)


def _pattern_of(column: Column) -> str | None:
    """Return the format of a column's dates in SDV directives, or None if the column has no notation."""
    if not isinstance(column.notation, DateNotation):
        return None
    return column.notation.pattern.replace("%-", "%").replace("%:z", "%z").replace("%6f", "%f")


def _kind_of_format(datetime_format: str | None) -> ColumnKind:
    text = datetime_format or ""
    has_clock = any(mark in text for mark in _CLOCK_MARKS)
    has_date = not text or any(mark in text for mark in _DATE_MARKS)
    if has_clock and not has_date:
        return ColumnKind.time
    return ColumnKind.timestamp if has_clock or not text else ColumnKind.date


def _written(schema: TableSchema, key: str | None, foreign_keys: set[str]) -> Json:
    columns = {column.name: _written_column(column) for column in schema.columns}
    ids = foreign_keys if key is None else {key, *foreign_keys}
    columns |= {name: {"sdtype": "id"} for name in ids}
    subject = schema.subject[0] if len(schema.subject) == 1 else list(schema.subject) or None
    roles = {"primary_key": key, "sequence_key": subject}
    return {"columns": columns} | {role: names for role, names in roles.items() if names is not None}


def _likely_key(schema: TableSchema, findings: TableFindings) -> str | None:
    for candidate in findings.primary_keys[:1]:
        if schema.column(candidate.columns[0]).kind in GENERATED_KINDS:
            return candidate.columns[0]
    return None


def _written_column(column: Column) -> Json:
    if column.kind in _NUMBERS:
        names = {type_: name for name, type_ in _REPRESENTATIONS.items()}
        name = names.get(column.arrow_type)
        return {"sdtype": "numerical"} | ({"computer_representation": name} if name else {})
    if column.kind in _TIMES:
        formats = {ColumnKind.date: "%Y-%m-%d", ColumnKind.time: "%H:%M:%S"}
        usual = formats.get(column.kind, "%Y-%m-%d %H:%M:%S")
        return {"sdtype": "datetime", "datetime_format": _pattern_of(column) or usual}
    sdtype = _SDTYPES[column.kind][0]
    is_pii = column.kind not in (ColumnKind.category, ColumnKind.boolean, ColumnKind.identifier)
    return {"sdtype": sdtype} | ({"pii": True} if is_pii else {})
