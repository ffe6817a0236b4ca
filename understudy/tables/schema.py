"""The schema of a dataset, which describes its tables, their columns and the relationships between tables.

Users can edit a schema, and models rely on it. `inference` proposes a schema and `findings.Findings` that
explain the schema. Importing this module loads neither Arrow nor NumPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from understudy.errors import InvalidInput
from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX
from understudy.tables.domains import ColumnDomain
from understudy.tables.json_place import JsonPlace
from understudy.tables.kinds import GENERATED_KINDS, ColumnKind
from understudy.tables.notation import Notation
from understudy.tables.text_style import TextStyle, style_metadata
from understudy.tables.word_lists import WordList

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "GENERATED_KINDS",
    "LOCALES",
    "Column",
    "ColumnDomain",
    "ColumnKind",
    "DatasetSchema",
    "Relationship",
    "TableSchema",
]

# Locales for which mimesis can generate names and addresses.
LOCALES = WordList(Path(__file__).with_name("locales.txt"))

# PostgreSQL, which stores schemas, does not accept NUL characters.
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
Names = tuple[str, ...]


class Column(BaseModel):
    """A column of a table, with its name, its kind and the exact type of its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=COLUMN_NAME_LENGTH_MAX,
            description="Name of the column, unique in its table.",
        ),
    ]
    kind: Annotated[ColumnKind, Field(description="Kind of the column, such as `date` or `email`.")]
    arrow_type: Annotated[str, Field(description="Arrow type of the stored values, such as `int64`.")]
    nullable: Annotated[bool, Field(description="Whether values may be missing.")]
    domain: Annotated[
        ColumnDomain | None,
        Field(
            description="Permitted values of the column, if they are public knowledge; null permits any "
            "value."
        ),
    ] = None
    notation: Annotated[
        Notation | None,
        Field(
            description="Notation of the values in text formats, such as `$1,234.50` or `19-Aug-2015`. Null "
            "for plain numbers and ISO 8601."
        ),
    ] = None
    json_place: Annotated[
        JsonPlace | None,
        Field(
            description="Path of the values in nested JSON objects. If null, the key is the name of the "
            "column."
        ),
    ] = None


class TableSchema(BaseModel):
    """A table, with its columns in order and the columns that have a role such as primary key or subject."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[Column, ...], Field(min_length=1, description="Columns of the table, in order.")]
    primary_key: Annotated[Names, Field(description="Names of the columns that identify a row.")] = ()
    subject: Annotated[
        Names,
        Field(
            description="Names of the columns that identify the person or other subject to whom a row "
            "belongs. If set, privacy protection counts subjects instead of rows."
        ),
    ] = ()
    order_by: Annotated[
        Names,
        Field(description="Names of the columns that order the rows of one subject or parent row."),
    ] = ()
    role: Annotated[
        Literal["data", "reference"],
        Field(
            description="Role of the table: `data` is learned and sampled; `reference` is public lookup "
            "data, which samples contain verbatim."
        ),
    ] = "data"
    text_style: Annotated[
        TextStyle | None,
        Field(
            description="Style of the source CSV file. CSV output uses the same style. Null for the default "
            "style."
        ),
    ] = None

    @model_validator(mode="after")
    def _columns_exist_once(self) -> TableSchema:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError("the names of columns must be unique")
        for role in ("primary_key", "subject", "order_by"):
            chosen: Names = getattr(self, role)
            if not set(chosen) <= set(names):
                raise ValueError(f"every column of {role} must be a column of the table")
            if len(set(chosen)) != len(chosen):
                raise ValueError(f"{role} must not contain a column twice")
        return self

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return the column with a given name.

        Raises
        ------
        InvalidInput
            If the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidInput(
            f"The table has no column {name!r}. Correct the name of the column.", code="unknown_column"
        )

    def select(self, names: list[str]) -> TableSchema:
        """Return the schema restricted to some columns. A role is kept only if all its columns are kept."""
        kept = set(names)
        roles = {
            role: chosen if kept.issuperset(chosen) else ()
            for role in ("primary_key", "subject", "order_by")
            for chosen in (getattr(self, role),)
        }
        return self.model_copy(update={"columns": tuple(self.column(name) for name in names), **roles})

    def to_arrow(self) -> pa.Schema:
        """Return the Arrow schema of the stored table."""
        # Arrow is loaded only here, because the API and the workers read schemas without Arrow.
        from understudy.tables.arrow_types import field_metadata, to_arrow_schema

        schema = to_arrow_schema(
            (c.name, c.arrow_type, c.nullable, field_metadata(c.notation, c.json_place)) for c in self.columns
        )
        return schema.with_metadata(style_metadata(self.text_style) or {})


class Relationship(BaseModel):
    """A foreign key, which consists of child table columns that refer to parent table columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    child: Annotated[Name, Field(description="Name of the table that contains the foreign key.")]
    child_columns: Annotated[
        Names, Field(min_length=1, description="Names of the columns that form the foreign key.")
    ]
    parent: Annotated[Name, Field(description="Name of the table that the foreign key refers to.")]
    parent_columns: Annotated[
        Names,
        Field(min_length=1, description="Names of the referenced columns, in the order of `child_columns`."),
    ]

    @model_validator(mode="after")
    def _columns_match(self) -> Relationship:
        if len(self.child_columns) != len(self.parent_columns):
            raise ValueError("child_columns and parent_columns must have the same length")
        return self


class DatasetSchema(BaseModel):
    """The schema of a dataset, with its tables by name, their relationships, and its locale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: Annotated[dict[Name, TableSchema], Field(min_length=1, description="Tables by name.")]
    relationships: Annotated[
        tuple[Relationship, ...], Field(description="Foreign keys between the tables.")
    ] = ()
    locale: Annotated[
        str,
        Field(description="Language and country of generated names and texts, such as `de-at`."),
    ] = "en"

    @field_validator("locale")
    @classmethod
    def _locale_is_known(cls, locale: str) -> str:
        if locale not in LOCALES:
            raise ValueError(f"locale must be one of {', '.join(LOCALES)}")
        return locale

    @model_validator(mode="after")
    def _relationships_exist(self) -> DatasetSchema:
        for relationship in self.relationships:
            ends = (
                (relationship.child, relationship.child_columns),
                (relationship.parent, relationship.parent_columns),
            )
            for table, columns in ends:
                if table not in self.tables or not set(columns) <= set(self.tables[table].names):
                    raise ValueError(
                        f"a relationship refers to table {table!r}, but the schema lacks this table or one"
                        " of its columns that the relationship uses. Correct the name, or add the table or "
                        "column"
                    )
        return self
