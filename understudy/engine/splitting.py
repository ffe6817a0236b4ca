"""Set rows aside before a model learns: whole subjects, and children with their parents."""

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

    Rows go with their subject, where one is declared, and with their parent, where the schema has
    relationships; else each row is decided by itself.

    Parameters
    ----------
    data : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of table names to these
    schema : DatasetSchema, Model, dict or TableSchema, optional
        The tables' subjects and relationships; inferred if omitted, without subject or relationship.
    subject : str or tuple of str, optional
        The columns that say whose row it is.
    holdout_fraction : float
        The expected share of subjects, or of rows, that are held out.
    seed : int
        The same data and seed give the same split.

    Returns
    -------
    training, holdout : as `data`

    Raises
    ------
    InvalidInput
        If the data are not a table, a column of the subject is unknown, the share is not between 0 and 1, or
        no row is held out.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> visits = pd.DataFrame({"patient": [1, 1, 2, 2, 3, 3] * 10, "weight": range(60)})
    >>> training, holdout = understudy.split(visits, subject="patient", holdout_fraction=0.5, seed=1)
    >>> set(training["patient"]) & set(holdout["patient"])
    set()
    """
    given = read_dataset(data, name=only_name(schema))
    described = describe(given, schema, subject)[0]
    how = Split.of(described, holdout_fraction=holdout_fraction, seed=seed)
    masks = how.masks({name: ArrowSource(table) for name, table in given.tables.items()}, described)
    check_holdout(sum(int(mask.sum()) for mask in masks.values()), holdout_fraction)
    training, holdout = (
        {name: table.filter(pa.array(masks[name] == is_holdout)) for name, table in given.tables.items()}
        for is_holdout in (False, True)
    )
    return write_dataset(training, given.form, None), write_dataset(holdout, given.form, None)
