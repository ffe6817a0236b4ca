"""A fitted model as users hold it: it gives back tables in the form in which it was given some."""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import ValidationError

from understudy.engine import arguments
from understudy.engine.arguments import ConstraintsLike
from understudy.engine.tables import conform_dataset, only_name
from understudy.errors import InvalidInput
from understudy.frames.datasets import Frames, read_dataset, write_dataset
from understudy.frames.files import file_format
from understudy.frames.frame_format import DatasetFormat, Library
from understudy.parameters import calls
from understudy.parameters.calls import SEED_LIMIT, checked, validated, whole_number
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers.base import (
    Json,
    ModelCard,
    SupportsConstraints,
    SupportsImputation,
    Synthesizer,
    unsupported_by_synthesizer,
)
from understudy.synthesizers.contexts import SampleContext, plan_rows
from understudy.synthesizers.datasets import collect_tables
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.groups import N_ROWS_LIMIT, count_rows
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.findings import Findings
from understudy.tables.schema import DatasetSchema
from understudy.tables.source import ArrowSource
from understudy.tables.validation import FITTED

FORM = "frames"


class Model:
    """A model that `fit` has learned from a dataset, or `load` has read from a file.

    Attributes
    ----------
    synthesizer : Synthesizer
        The fitted algorithm, which works on Arrow tables.
    schema : DatasetSchema
        The tables and columns that the model was fitted with.
    findings : Findings or None
        What inference found of the columns; None if the schema was given, or the model was loaded.
    seed : int or None
        The seed of the fit; the same data and seed give the same model. None if the file does not contain it.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
    >>> model = understudy.fit(people, seed=1)
    >>> model
    <understudy.Model of 'table': 2 columns, tree_chain, seed 1>
    >>> model.sample(2, seed=2).dtypes.equals(people.dtypes)
    True
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        schema: DatasetSchema,
        form: DatasetFormat,
        *,
        seed: int | None = None,
        findings: Findings | None = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.schema = schema
        self.seed = seed
        self.findings = findings
        self._form = form
        self._library: Library | None = None

    def __repr__(self) -> str:
        tables = ", ".join(
            f"{name!r}: {len(table.columns)} columns" for name, table in self.schema.tables.items()
        )
        return f"<understudy.Model of {tables}, {self.synthesizer.name}, seed {self.seed}>"

    @checked(
        n_rows=whole_number(limit=N_ROWS_LIMIT),
        offset=whole_number(limit=N_ROWS_LIMIT, is_optional=False),
        seed=whole_number(),
        constraints=validated(SamplingConstraints),
    )
    def sample(
        self,
        n_rows: int | None = None,
        *,
        seed: int | None = None,
        offset: int = 0,
        constraints: ConstraintsLike | None = None,
    ) -> Frames:
        """Sample synthetic rows, optionally under constraints.

        Parameters
        ----------
        n_rows : int, optional
            May be omitted with conditions, which contain the numbers of their rows.
        seed : int, optional
            The same seed gives the same rows; chosen at random if omitted.
        offset : int
            The first row of the seed's endless table; rows 0 to 9 and rows 10 to 19 are rows 0 to 19.
        constraints : SamplingConstraints or dict, optional
            Conditions that groups of rows fulfil, or other shares of a column's values.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of these
            What `fit` was given, with the same dtypes; a pandas DataFrame if it was given a file.

        Raises
        ------
        InvalidInput
            If there is no number of rows, or the constraints do not fit the model.

        Examples
        --------
        >>> import understudy
        >>> table = {"age": list(range(20, 80)), "city": ["Oslo", "Rome", "Lima"] * 20}
        >>> import pandas as pd
        >>> model = understudy.fit(pd.DataFrame(table), seed=1)
        >>> in_rome = understudy.SampleCondition(where={"city": {"equals": "Rome"}}, n_rows=3)
        >>> rows = model.sample(seed=2, constraints=understudy.SamplingConstraints(conditions=[in_rome]))
        >>> rows["city"].tolist()
        ['Rome', 'Rome', 'Rome']
        """
        n_drawn = count_rows(constraints, n_rows, offset)
        plan = plan_rows(self.schema, n_drawn, offset=offset, constraints=constraints)
        sampled = self.synthesizer.sample(plan, context=SampleContext(seed=choose_seed(seed)))
        return write_dataset(collect_tables(sampled, self.schema), self._form, self._library)

    @checked(data=calls.tables, seed=whole_number(), n_draws=whole_number(minimum=1, is_optional=False))
    def impute(self, data: Frames, *, seed: int | None = None, n_draws: int = 1) -> Frames:
        """Return a table with its missing values drawn; what is present stays as it is.

        Parameters
        ----------
        data : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of one of these
            A table with the columns that the model was fitted with.
        seed : int, optional
            The same seed gives the same values; chosen at random if omitted.
        n_draws : int
            How many completions are returned, one after the other: of n rows, row i of draw d (both from 0)
            is row d * n + i. The differences between draws show how uncertain the values are (multiple
            imputation, Rubin 1987).

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of these
            In the form of `data`.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", None] * 20})
        >>> model = understudy.fit(people, seed=1)
        >>> model.impute(people, seed=2)["city"].isna().sum()
        np.int64(0)
        """
        given = read_dataset(data, name=only_name(self.schema))
        tables = conform_dataset(given.tables, self.schema, FITTED)
        if not isinstance(self.synthesizer, SupportsImputation):
            raise unsupported_by_synthesizer(self.synthesizer.name)
        data = {name: ArrowSource(table) for name, table in tables.items()}
        context = SampleContext(seed=choose_seed(seed))
        completed = self.synthesizer.impute(data, n_draws=n_draws, context=context)
        return write_dataset(collect_tables(completed, self.schema), given.form, None)

    @checked(constraints=validated(SamplingConstraints, is_optional=False))
    def effective_shares(self, constraints: ConstraintsLike) -> list[float]:
        """Return for each group of rows how many independent rows one sampled row is worth, from 0 to 1.

        The groups are the conditions, or the shares of a rebalanced column. The effective sample size of a
        group is its number of rows times this share (Kong 1992).

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
        >>> model = understudy.fit(people, seed=1)
        >>> in_rome = understudy.SampleCondition(where={"city": {"equals": "Rome"}}, n_rows=3)
        >>> model.effective_shares(understudy.SamplingConstraints(conditions=[in_rome]))
        [1.0]
        """
        if not isinstance(self.synthesizer, SupportsConstraints):
            raise unsupported_by_synthesizer(self.synthesizer.name)
        return self.synthesizer.effective_shares(constraints)

    @checked(library=arguments.library)
    def with_format(self, library: Library) -> Model:
        """Return the model with samples as frames of another library: `pandas`, `polars` or `arrow`.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> model = understudy.fit(pd.DataFrame({"age": range(60)}), seed=1)
        >>> model.with_format("arrow").sample(3, seed=2).num_rows
        3
        """
        model = Model(self.synthesizer, self.schema, self._form, seed=self.seed, findings=self.findings)
        model._library = library
        return model

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of the card: few rows, what was suppressed, columns of one value.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> understudy.fit(pd.DataFrame({"age": range(60)}), seed=1).warnings[0]
        'The table has 60 rows; below 100 there is little to learn from, and little to hide in.'
        """
        return tuple(self.card().get("warnings", ()))

    def card(self) -> ModelCard:
        """Return facts about the model: sizes, choices, what was suppressed, warnings.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> understudy.fit(pd.DataFrame({"age": range(60)}), seed=1).card()["n_rows"]
        60
        """
        return self.synthesizer.card()

    @checked(path=calls.path)
    def save(self, path: Path | str) -> None:
        """Write a model file; the same model gives the same bytes.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> understudy.fit(pd.DataFrame({"age": range(60)}), seed=1).save("people.model")
        """
        form = self._form.model_dump(mode="json", exclude_defaults=True)
        save_model(self.synthesizer, Path(path), extra={"seed": self.seed, FORM: form})


def choose_seed(seed: int | None) -> int:
    """Return a seed: the given one, or one by chance."""
    return secrets.randbelow(SEED_LIMIT) if seed is None else seed


@checked(model=arguments.model)
def sample(
    model: Model,
    n_rows: int | None = None,
    *,
    seed: int | None = None,
    offset: int = 0,
    constraints: ConstraintsLike | None = None,
) -> Frames:
    """Sample synthetic rows, optionally under constraints; see `Model.sample`.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> model = understudy.fit(pd.DataFrame({"age": range(60)}), seed=1)
    >>> understudy.sample(model, 3, seed=2).equals(model.sample(3, seed=2))
    True
    """
    return model.sample(n_rows, seed=seed, offset=offset, constraints=constraints)


@checked(model=arguments.model)
def impute(model: Model, data: Frames, *, seed: int | None = None, n_draws: int = 1) -> Frames:
    """Return a table with its missing values drawn; see `Model.impute`.

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
    """Write a model file; the same model gives the same bytes.

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
    """Return the model of a file that `save`, `understudy fit` or the service wrote.

    Samples have the form of the data that the model was fitted on; those of a model that was fitted on a
    file are pandas DataFrames, see `Model.with_format`.

    Raises
    ------
    InvalidInput
        If it is not a model file, or is damaged.

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
    """Return the form in a model file, or the usual one if the file was not written by `save`."""
    if FORM in extra:
        try:
            return DatasetFormat.model_validate(extra[FORM])
        except ValidationError as error:
            raise InvalidInput(
                "The model file cannot be used: the form of its tables is not valid. Write it again.",
                code="invalid_model_file",
            ) from error
    forms = {
        name: file_format((c.name, parse_arrow_type(c.arrow_type), c.nullable) for c in table.columns)
        for name, table in schema.tables.items()
    }
    return DatasetFormat(tables=forms)
