"""The form in which a table was handed in; a model file contains it, so that samples have the same form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator

Library = Literal["pandas", "polars", "arrow"]
Missing = Literal["None", "nan", "NA", "NaT"]


class Categories(BaseModel):
    """The categories of a column, in their order, as texts.

    Parameters
    ----------
    dtype : str
        The pandas dtype of the categories themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    values: tuple[str, ...]
    is_ordered: bool
    dtype: Annotated[str, Field(max_length=255)] = "object"

    @field_validator("values")
    @classmethod
    def _values_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("a category must not be listed twice")
        return values


class ColumnFormat(BaseModel):
    """The dtype of one column, and its label.

    Parameters
    ----------
    dtype : str
        As the library writes it.
    label : str or int, optional
        The column's label where it differs from its name in the schema.
    missing : str, optional
        The object that marks a missing value in a pandas column of objects.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dtype: Annotated[str, Field(max_length=255)]
    label: StrictStr | StrictInt | None = None
    missing: Missing | None = None
    categories: Categories | None = None


class FrameFormat(BaseModel):
    """The form of one table.

    Parameters
    ----------
    columns : dict of column name to ColumnFormat
        Columns that are not listed get the library's usual dtype for their Arrow type.
    index : tuple of str
        The names of the columns that are the index of a pandas frame.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: Library = "pandas"
    columns: dict[str, ColumnFormat] = {}
    index: tuple[str, ...] = ()


class DatasetFormat(BaseModel):
    """The form of a dataset: of each table, and whether the tables came in a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, FrameFormat]
    is_mapping: bool = False
