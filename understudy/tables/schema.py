"""The schema of a dataset: its tables, their columns, and how they relate.

A schema is what a user may set and what a model relies on. `inference` proposes one, together with
`findings.Findings`, which explain it. Importing this module loads neither Arrow nor numpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from understudy.errors import InvalidInput
from understudy.tables.domains import ColumnDomain
from understudy.tables.kinds import GENERATED_KINDS, ColumnKind
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

# Languages and countries that names and addresses can be generated for: those of mimesis.
LOCALES = WordList(Path(__file__).with_name("locales.txt"))

# PostgreSQL, which stores schemas, has no NUL character.
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
Names = tuple[str, ...]


class Column(BaseModel):
    """A column: its name, its kind and the exact type of its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=255)]
    kind: ColumnKind
    arrow_type: Annotated[str, Field(description="The Arrow type of the stored values, such as `int64`.")]
    nullable: bool
    domain: Annotated[
        ColumnDomain | None,
        Field(description="The values that the column may have, if they are public knowledge."),
    ] = None


class TableSchema(BaseModel):
    """A table: its columns in order, and the roles of some of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    primary_key: Annotated[Names, Field(description="The columns that identify a row.")] = ()
    subject: Annotated[
        Names,
        Field(description="The columns that say whose row it is; privacy protection counts subjects."),
    ] = ()
    order_by: Annotated[
        Names, Field(description="The columns that order the rows of a subject or parent.")
    ] = ()
    role: Annotated[
        Literal["data", "reference"],
        Field(description="`reference`: public look-up data, which samples contain verbatim."),
    ] = "data"

    @model_validator(mode="after")
    def _columns_exist_once(self) -> TableSchema:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError("column names must be unique")
        for role in ("primary_key", "subject", "order_by"):
            chosen: Names = getattr(self, role)
            if not set(chosen) <= set(names):
                raise ValueError(f"every column of {role} must be one of the columns")
            if len(set(chosen)) != len(chosen):
                raise ValueError(f"{role} must not name a column twice")
        return self

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidInput(f"The table has no column {name!r}.", code="unknown_column")

    def select(self, names: list[str]) -> TableSchema:
        """Return the schema of some columns; a role is kept only if all its columns are."""
        kept = set(names)
        roles = {
            role: chosen if kept.issuperset(chosen) else ()
            for role in ("primary_key", "subject", "order_by")
            for chosen in (getattr(self, role),)
        }
        return self.model_copy(update={"columns": tuple(self.column(name) for name in names), **roles})

    def to_arrow(self) -> pa.Schema:
        """Return the Arrow schema of the stored table."""
        # Arrow is loaded only here: the API and the workers read schemas without it.
        from understudy.tables.arrow_types import to_arrow_schema

        return to_arrow_schema((c.name, c.arrow_type, c.nullable) for c in self.columns)


class Relationship(BaseModel):
    """A foreign key: columns of a child table whose values are those of a parent's columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    child: Name
    child_columns: Annotated[Names, Field(min_length=1)]
    parent: Name
    parent_columns: Annotated[Names, Field(min_length=1)]

    @model_validator(mode="after")
    def _columns_match(self) -> Relationship:
        if len(self.child_columns) != len(self.parent_columns):
            raise ValueError("child_columns and parent_columns must have the same length")
        return self


class DatasetSchema(BaseModel):
    """A dataset: its tables by name, the relationships between them, and its locale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: Annotated[dict[Name, TableSchema], Field(min_length=1)]
    relationships: tuple[Relationship, ...] = ()
    locale: Annotated[
        str,
        Field(description="The language and country of generated names and texts, such as `de-at`."),
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
                    raise ValueError("every table and column of a relationship must be in the schema")
        return self
