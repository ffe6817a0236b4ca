"""SDV's metadata JSON, read and written: people who come from there bring it along.

Known are the versions SINGLE_TABLE_V1, MULTI_TABLE_V1 and V1. The format is described in the public
documentation of SDV ("Metadata JSON"); its software is neither used nor needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from understudy.errors import InvalidInput
from understudy.tables.findings import Findings, TableFindings
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, DatasetSchema, TableSchema
from understudy.tables.schema_changes import ColumnChange, SchemaChange

Json = dict[str, Any]

SINGLE, MULTI, V1 = "SINGLE_TABLE_V1", "MULTI_TABLE_V1", "V1"
_NUMBERS = {ColumnKind.integer, ColumnKind.float, ColumnKind.decimal, ColumnKind.duration}
_TIMES = {ColumnKind.date, ColumnKind.time, ColumnKind.timestamp}

# SDV's words for what a column means, by our kinds; the first is the one that is written.
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

# Numbers as SDV names their storage, and the Arrow types that are the same.
_REPRESENTATIONS = {
    **{f"Int{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "Float": "double",
}
_DATE_MARKS = ("%d", "%m", "%Y", "%y", "%b", "%B", "%j")
_CLOCK_MARKS = ("%H", "%I", "%M", "%S", "%f")

# What our schemas have no room for; a caller is told.
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
class Understood:
    """What metadata change about a schema, and what of them has no place in it, in words."""

    change: SchemaChange
    warnings: list[str]


def read_metadata(document: object, schema: TableSchema, *, table: str | None = None) -> Understood:
    """Return what metadata of SDV say about a table.

    Parameters
    ----------
    document : object
        Parsed JSON.
    schema : TableSchema
        Of the table as it is: what metadata leave open, such as the type of a number, stays.
    table : str, optional
        Which table is meant, where the metadata are of several.

    Raises
    ------
    InvalidInput
        If these are no such metadata, or do not have the table.
    """
    found = _table_of(document, table)
    changes, warnings = {}, []
    for name, said in found.columns.items():
        column = schema.column(name)
        change = _change(column, said)
        if change is None:
            warnings.append(f"Column {name!r}: the sdtype is not known; its kind stays {column.kind.value}.")
        elif change.kind is not column.kind or change.arrow_type is not None:
            changes[name] = change
        if said.regex_format is not None:
            warnings.append(f"Column {name!r}: regex_format is not used; patterns are learnt from the table.")
    warnings += [f"{key} is not used." for key in _UNUSED if (found.model_extra or {}).get(key)]
    roles = {"primary_key": found.primary_key, "subject": found.sequence_key}
    named = {role: (key,) if isinstance(key, str) else tuple(key) for role, key in roles.items() if key}
    return Understood(SchemaChange.model_validate({"columns": changes, **named}), warnings)


def is_metadata(document: object) -> bool:
    """Return whether parsed JSON calls itself SDV's metadata."""
    return isinstance(document, dict) and "METADATA_SPEC_VERSION" in document


def write_metadata(schema: DatasetSchema, findings: Findings) -> Json:
    """Return a dataset's metadata, of version V1: its tables by name, and the relationships between them.

    Without declared relationships, their candidates are written. A primary key is written where it is
    declared, where a relationship refers to it, or where the first candidate identifies. The columns of
    relationships and primary keys have the sdtype `id`, whatever their kinds: SDV refuses a relationship of
    columns of different sdtypes. Keys of several columns, relationships of these, and relationships that
    refer to another column than their parent's primary key are left out: SDV has none.
    """
    related = [
        relationship
        for relationship in schema.relationships or findings.relationships
        if len(relationship.child_columns) == 1 and relationship.parent in schema.tables
    ]
    # The first relationship is the most confident one, where they are candidates.
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
        raise _refused("they lack METADATA_SPEC_VERSION")
    assert isinstance(document, dict)
    version = document["METADATA_SPEC_VERSION"]
    if version not in (SINGLE, MULTI, V1):
        raise _refused(f"their version is none of {SINGLE}, {MULTI} and {V1}")
    found = document if version == SINGLE else _one_of(document.get("tables"), table)
    try:
        return _Table.model_validate(found)
    except ValidationError as error:
        place = "/".join(str(part) for part in error.errors()[0]["loc"])
        raise _refused(f"{place} is missing or of another form") from None


def _one_of(tables: object, table: str | None) -> object:
    if not isinstance(tables, dict) or not tables:
        raise _refused("they have no tables")
    matching = [tables[table]] if table in tables else list(tables.values())
    if len(matching) != 1:
        raise InvalidInput(
            f"The metadata are of {len(tables)} tables and none is {table!r}. Name the table that is meant."
            if table is not None
            else f"The metadata are of {len(tables)} tables. Name the one that is meant.",
            code="invalid_parameters",
        )
    return matching[0]


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"These are no metadata of SDV: {why}.", code="invalid_parameters")


def _change(column: Column, said: _Column) -> ColumnChange | None:
    """Return what a column is to be, or None if the word is not known."""
    if said.sdtype == "numerical":
        type_ = _REPRESENTATIONS.get(said.computer_representation or "")
        if column.kind in _NUMBERS:
            return ColumnChange(kind=column.kind)
        kind = ColumnKind.integer if type_ and "int" in type_ else ColumnKind.float
        return ColumnChange(kind=kind, arrow_type=type_)
    if said.sdtype == "datetime":
        return ColumnChange(
            kind=column.kind if column.kind in _TIMES else _kind_of_format(said.datetime_format)
        )
    known = _KINDS.get(said.sdtype)
    return None if known is None else ColumnChange(kind=known)


def _kind_of_format(datetime_format: str | None) -> ColumnKind:
    said = datetime_format or ""
    has_clock = any(mark in said for mark in _CLOCK_MARKS)
    has_date = not said or any(mark in said for mark in _DATE_MARKS)
    if has_clock and not has_date:
        return ColumnKind.time
    return ColumnKind.timestamp if has_clock or not said else ColumnKind.date


def _written(schema: TableSchema, key: str | None, foreign_keys: set[str]) -> Json:
    columns = {column.name: _written_column(column) for column in schema.columns}
    ids = foreign_keys if key is None else {key, *foreign_keys}
    columns |= {name: {"sdtype": "id"} for name in ids}
    subject = schema.subject[0] if len(schema.subject) == 1 else list(schema.subject) or None
    told = {"primary_key": key, "sequence_key": subject}
    return {"columns": columns} | {name: column for name, column in told.items() if column is not None}


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
        return {"sdtype": "datetime", "datetime_format": formats.get(column.kind, "%Y-%m-%d %H:%M:%S")}
    sdtype = _SDTYPES[column.kind][0]
    is_pii = column.kind not in (ColumnKind.category, ColumnKind.boolean, ColumnKind.identifier)
    return {"sdtype": sdtype} | ({"pii": True} if is_pii else {})
