"""Split data into training rows and a holdout, by subject and by parent row."""

from __future__ import annotations

import pyarrow as pa

from understudy.engine import arguments
from understudy.engine.arguments import SchemaLike
from understudy.engine.fitting import describe
from understudy.engine.tables import only_name
from understudy.frames.datasets import Frames, read_dataset, write_dataset
from understudy.parameters import calls
from understudy.parameters.calls import checked, whole_number
from understudy.tables.source import ArrowSource
from understudy.tables.split import Split, check_holdout


@checked(
    data=calls.tables,
    schema=arguments.schema,
    subject=calls.names,
    holdout_fraction=calls.number,
    seed=whole_number(is_optional=False),
)
def split(
    data: Frames,
    *,
    schema: SchemaLike | None = None,
    subject: str | tuple[str, ...] | None = None,
    holdout_fraction: float = 0.2,
    seed: int = 0,
) -> tuple[Frames, Frames]:
    """Split data into training rows and a holdout that shares no subject with them.

    If a subject is declared, all of its rows are on the same side of the split. If the schema has
    relationships, child rows are on the same side as their parent row. Otherwise, each row is assigned
    independently.

    Parameters
    ----------
    data : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of table names to these
        Rows to split.
    schema : DatasetSchema, Model, dict or TableSchema, optional
        Schema with the subjects and relationships of the tables. Inferred if omitted. An inferred schema has
        no relationships, and has a subject only if the evidence is clear.
    subject : str or tuple of str, optional
        Column or columns that identify the subject of each row, such as a patient. `()` means no subject.
    holdout_fraction : float, default 0.2
        Expected fraction of subjects in the holdout, from 0 to 1. If no subject is declared, it is the
        expected fraction of rows.
    seed : int, default 0
        Seed of the random number generator. The same data and seed give the same split.

    Returns
    -------
    training, holdout : same type as `data`
        Training rows and holdout. If `data` is a path, both are pandas DataFrames.

    Raises
    ------
    InvalidInput
        If the data is not a table, if a column of the subject is unknown, if `holdout_fraction` is not
        between 0 and 1, or if the holdout has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> visits = pd.DataFrame({"patient": [1, 1, 2, 2, 3, 3] * 10, "weight": range(60)})
    >>> training, holdout = understudy.split(visits, subject="patient", holdout_fraction=0.5, seed=1)
    >>> set(training["patient"]) & set(holdout["patient"])
    set()
    """
    dataset = read_dataset(data, name=only_name(schema))
    described = describe(dataset, schema, subject)[0]
    how = Split.of(described, holdout_fraction=holdout_fraction, seed=seed)
    masks = how.masks({name: ArrowSource(table) for name, table in dataset.tables.items()}, described)
    check_holdout(sum(int(mask.sum()) for mask in masks.values()), holdout_fraction)
    training, holdout = (
        {name: table.filter(pa.array(masks[name] == is_holdout)) for name, table in dataset.tables.items()}
        for is_holdout in (False, True)
    )
    return write_dataset(training, dataset.form, None), write_dataset(holdout, dataset.form, None)
