"""The format of a user's table. Model files contain it, so that samples have the same format."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator

Library = Literal["pandas", "polars", "arrow"]
Missing = Literal["None", "nan", "NA", "NaT"]


class Categories(BaseModel):
    """Categories of a column.

    Parameters
    ----------
    values : tuple of str
        Categories as strings, in their order.
    is_ordered : bool
        Whether the order of the categories is meaningful.
    dtype : str
        pandas dtype of the category values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    values: tuple[str, ...]
    is_ordered: bool
    dtype: Annotated[str, Field(max_length=255)] = "object"

    @field_validator("values")
    @classmethod
    def _values_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("a category is listed twice")
        return values


class ColumnFormat(BaseModel):
    """Format of one column.

    Parameters
    ----------
    dtype : str
        Name of the dtype in the library.
    label : str or int, optional
        Label of the column if it differs from its name in the schema.
    missing : {"None", "nan", "NA", "NaT"}, optional
        Object that represents a missing value in a pandas column of objects.
    categories : Categories, optional
        Categories of a categorical column.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dtype: Annotated[str, Field(max_length=255)]
    label: StrictStr | StrictInt | None = None
    missing: Missing | None = None
    categories: Categories | None = None


class FrameFormat(BaseModel):
    """Format of one table.

    Parameters
    ----------
    library : {"pandas", "polars", "arrow"}
        Library of the table.
    columns : dict of column name to ColumnFormat
        Formats of the columns. A column without a format gets the library's default dtype for its Arrow type.
    index : tuple of str
        Names of the columns that form the index of a pandas frame.
    texts : tuple of str
        Names of the text columns that were read as numbers or dates. In samples, these columns contain text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: Library = "pandas"
    columns: dict[str, ColumnFormat] = {}
    index: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class DatasetFormat(BaseModel):
    """Format of a dataset.

    Parameters
    ----------
    tables : dict of table name to FrameFormat
        Formats of the tables.
    is_mapping : bool
        Whether the user passed the tables in a mapping.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, FrameFormat]
    is_mapping: bool = False
