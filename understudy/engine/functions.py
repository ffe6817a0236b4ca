"""Public functions that operate on a model: sample, impute, save and load."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from pydantic import ValidationError

from understudy.engine import arguments
from understudy.engine.arguments import ConstraintsLike
from understudy.engine.model import FORM, Model
from understudy.errors import InvalidInput
from understudy.frames.datasets import Frames
from understudy.frames.files import file_format
from understudy.frames.frame_format import DatasetFormat
from understudy.parameters import calls
from understudy.parameters.calls import checked
from understudy.synthesizers.base import Json
from understudy.synthesizers.files import load_model
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import DatasetSchema


class SampleOptions(TypedDict, total=False):
    """The options of `Model.sample`."""

    seed: int | None
    offset: int
    constraints: ConstraintsLike | None
    id_start: int | None


@checked(model=arguments.model)
def sample(model: Model, n_rows: int | None = None, **options: Unpack[SampleOptions]) -> Frames:
    """Sample synthetic rows, optionally under constraints.

    Parameters
    ----------
    model : Model
        Model to sample from.
    n_rows
        See `Model.sample`.
    **options
        The options `seed`, `offset`, `constraints` and `id_start` of `Model.sample`.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of these
        See `Model.sample`.

    Raises
    ------
    InvalidInput
        If the number of rows is missing, or the constraints do not fit the model.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> model = understudy.fit(pd.DataFrame({"age": range(60)}), seed=1)
    >>> understudy.sample(model, 3, seed=2).equals(model.sample(3, seed=2))
    True
    """
    return model.sample(n_rows, **options)


@checked(model=arguments.model)
def impute(model: Model, data: Frames, *, seed: int | None = None, n_draws: int = 1) -> Frames:
    """Impute the missing values of a table. Existing values stay unchanged.

    Parameters
    ----------
    model : Model
        Model that imputes the missing values.
    data, seed, n_draws
        See `Model.impute`.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of these
        See `Model.impute`.

    Raises
    ------
    InvalidInput
        If the table does not conform to the schema, or the synthesizer does not support imputation.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> people = pd.DataFrame({"age": range(60), "city": ["Oslo", "Rome", None] * 20})
    >>> model = understudy.fit(people, seed=1)
    >>> len(understudy.impute(model, people, seed=2, n_draws=2))
    120
    """
    return model.impute(data, seed=seed, n_draws=n_draws)


@checked(model=arguments.model)
def save(model: Model, path: Path | str) -> None:
    """Write a model to a file. The same model gives the same bytes.

    Parameters
    ----------
    model : Model
        Model to write.
    path : str or Path
        Path of the model file. An existing file is replaced.

    Raises
    ------
    UnderstudyError
        If the file cannot be written; see `Model.save`.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> model = understudy.fit(pd.DataFrame({"age": range(60)}), seed=1)
    >>> understudy.save(model, "people.model")
    >>> understudy.load("people.model").sample(3, seed=2).equals(model.sample(3, seed=2))
    True
    """
    model.save(path)


@checked(path=calls.path)
def load(path: Path | str) -> Model:
    """Load a model from a file that `save`, `understudy fit` or the service wrote.

    Samples use the library and dtypes of the training data. A model returns pandas DataFrames if the command
    line or the service fitted it, or if it was fitted on a file. Use `Model.with_format` to change the
    library.

    Parameters
    ----------
    path : str or Path
        Path of the model file. Loading executes no code from the file.

    Returns
    -------
    Model
        The fitted model.

    Raises
    ------
    NotFound
        If the file does not exist.
    InvalidInput
        If the file is not a model file, or if it is damaged.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> understudy.fit(pd.DataFrame({"age": range(60)}), seed=1).save("people.model")
    >>> understudy.load("people.model").seed
    1
    """
    synthesizer, manifest = load_model(Path(path))
    schema, extra = manifest.schema_, manifest.extra
    return Model(synthesizer, schema, _form_of(extra, schema), seed=extra.get("seed"))


def _form_of(extra: Json, schema: DatasetSchema) -> DatasetFormat:
    """Return the format stored in a model file, or the default format if the file contains none."""
    if FORM in extra:
        try:
            return DatasetFormat.model_validate(extra[FORM])
        except ValidationError as error:
            raise InvalidInput(
                "The model file is damaged: the format of its tables is not valid. Save the model again "
                "with Model.save.",
                code="invalid_model_file",
            ) from error
    forms = {
        name: file_format((c.name, parse_arrow_type(c.arrow_type), c.nullable) for c in table.columns)
        for name, table in schema.tables.items()
    }
    return DatasetFormat(tables=forms)
