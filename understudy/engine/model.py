"""The fitted model of the public API. It returns tables in the format of its training data."""

from __future__ import annotations

import secrets
from pathlib import Path

from understudy.engine import arguments
from understudy.engine.arguments import ConstraintsLike
from understudy.engine.tables import conform_dataset, only_name, text_format
from understudy.frames.datasets import Frames, read_dataset, write_dataset
from understudy.frames.frame_format import DatasetFormat, Library
from understudy.parameters import calls
from understudy.parameters.calls import SEED_LIMIT, checked, validated, whole_number
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers.base import (
    ModelCard,
    SupportsConstraints,
    SupportsImputation,
    Synthesizer,
    unsupported_by_synthesizer,
)
from understudy.synthesizers.contexts import SampleContext, plan_rows
from understudy.synthesizers.datasets import collect_tables
from understudy.synthesizers.files import save_model
from understudy.synthesizers.groups import N_ROWS_LIMIT, count_rows
from understudy.tables.findings import Findings
from understudy.tables.schema import DatasetSchema
from understudy.tables.source import ArrowSource
from understudy.tables.validation import FITTED

FORM = "frames"


class Model:
    """A fitted model, created by `fit` or read from a file by `load`.

    Attributes
    ----------
    synthesizer : Synthesizer
        The fitted synthesizer, which reads and returns Arrow tables.
    schema : DatasetSchema
        Schema that the model was fitted with.
    findings : Findings or None
        Findings of schema inference. None if a schema was given or the model was loaded from a file.
    seed : int or None
        Seed of the fit. The same data and seed give the same model. None if the model file contains no seed.

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
        id_start=whole_number(limit=N_ROWS_LIMIT),
        constraints=validated(SamplingConstraints),
    )
    def sample(
        self,
        n_rows: int | None = None,
        *,
        seed: int | None = None,
        offset: int = 0,
        constraints: ConstraintsLike | None = None,
        id_start: int | None = None,
    ) -> Frames:
        """Sample synthetic rows, optionally under constraints.

        Parameters
        ----------
        n_rows : int, optional
            Number of rows to sample. Omit it if `constraints` contains conditions, because each condition
            sets its own number of rows.
        seed : int, optional
            Seed of the random number generator. The same seed gives the same rows. Chosen at random if
            omitted.
        offset : int
            Index of the first row, from 0. A seed determines an unlimited sequence of rows, so 10 rows from
            offset 0 and 10 rows from offset 10 equal 20 rows from offset 0.
        constraints : SamplingConstraints or dict, optional
            Conditions for groups of rows, or new shares for the values in a column.
        id_start : int, optional
            Identifier number of row 0. Row k then has identifier number ``id_start + k``, regardless
            of the seed, so samples with disjoint ranges share no identifier, email address or card number.
            By default, identifiers depend on the seed, and different seeds may share some.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of these
            Synthetic rows in the library and dtypes of the data passed to `fit`. The result is a pandas
            DataFrame if the model was fitted on a file, and a dict if it was fitted on a mapping.

        Raises
        ------
        InvalidInput
            If the number of rows is missing, or the constraints do not fit the model.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
        >>> model = understudy.fit(people, seed=1)
        >>> in_rome = understudy.SampleCondition(where={"city": {"equals": "Rome"}}, n_rows=3)
        >>> rows = model.sample(seed=2, constraints=understudy.SamplingConstraints(conditions=[in_rome]))
        >>> rows["city"].tolist()
        ['Rome', 'Rome', 'Rome']

        >>> model = understudy.fit(pd.DataFrame({"id": range(60)}), seed=1)
        >>> parts = [model.sample(50, seed=2 + i, id_start=50 * i) for i in range(2)]
        >>> pd.concat(parts)["id"].is_unique
        True
        """
        n_drawn = count_rows(constraints, n_rows, offset)
        plan = plan_rows(self.schema, n_drawn, offset=offset, constraints=constraints, id_start=id_start)
        sampled = self.synthesizer.sample(plan, context=SampleContext(seed=choose_seed(seed)))
        return write_dataset(collect_tables(sampled, self.schema), self._form, self._library)

    @checked(data=calls.tables, seed=whole_number(), n_draws=whole_number(minimum=1, is_optional=False))
    def impute(self, data: Frames, *, seed: int | None = None, n_draws: int = 1) -> Frames:
        """Impute the missing values of a table. Existing values stay unchanged.

        Parameters
        ----------
        data : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of table names to these
            Table with the columns that the model was fitted on.
        seed : int, optional
            Seed of the random number generator. The same seed gives the same values. Chosen at random if
            omitted.
        n_draws : int, default 1
            Number of completed copies of the table. The copies are concatenated: for a table of n rows, row i
            of draw d is row d * n + i, where i and d start at 0. The variation between draws shows how
            uncertain the imputed values are (multiple imputation, Rubin 1987).

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of these
            The completed table, in the library and dtypes of `data`.

        Raises
        ------
        InvalidInput
            If the table does not conform to the schema, or the synthesizer does not support imputation.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", None] * 20})
        >>> model = understudy.fit(people, seed=1)
        >>> model.impute(people, seed=2)["city"].isna().sum()
        np.int64(0)
        """
        dataset = read_dataset(data, name=only_name(self.schema))
        tables = conform_dataset(dataset.tables, self.schema, FITTED)
        if not isinstance(self.synthesizer, SupportsImputation):
            raise unsupported_by_synthesizer(self.synthesizer.name)
        data = {name: ArrowSource(table) for name, table in tables.items()}
        context = SampleContext(seed=choose_seed(seed))
        completed = self.synthesizer.impute(data, n_draws=n_draws, context=context)
        form = text_format(dataset, self.schema)
        return write_dataset(collect_tables(completed, self.schema), form, None)

    @checked(constraints=validated(SamplingConstraints, is_optional=False))
    def effective_shares(self, constraints: ConstraintsLike) -> list[float]:
        """Return the effective share of each group of rows in a constrained sample.

        A group contains the rows for one condition, or the rows with one value in a rebalanced column. A
        group's effective sample size is ``n_rows * effective_share``. This is the number of independent rows
        that would contain the same amount of information (Kong 1992).

        Parameters
        ----------
        constraints : SamplingConstraints or dict
            Constraints of the sample.

        Returns
        -------
        list of float
            Effective share of each group, from 0 to 1, in the order of the constraints.

        Raises
        ------
        InvalidInput
            If the constraints do not fit the model, or the synthesizer does not support constraints.

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
        """Return a copy of the model that returns samples as frames from another library.

        Parameters
        ----------
        library : {"pandas", "polars", "arrow"}
            Library of the samples.

        Returns
        -------
        Model
            A model with the same synthesizer, schema and seed.

        Raises
        ------
        InvalidInput
            If the library is unknown.

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
        """Warnings of the model card, for example about too few rows or about suppressed values.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> understudy.fit(pd.DataFrame({"age": range(60)}), seed=1).warnings[0]
        'The table has 60 rows. With fewer than 100 rows, both fidelity and privacy are limited.'
        """
        return tuple(self.card().get("warnings", ()))

    def card(self) -> ModelCard:
        """Return the model card: number of rows, parameters, suppressed values, guarantees and warnings.

        Returns
        -------
        dict
            JSON-serializable facts about the model. The keys depend on the synthesizer.

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
        """Write the model to a file. The same model gives the same bytes.

        Parameters
        ----------
        path : str or Path
            Path of the model file. An existing file is replaced.

        Raises
        ------
        UnderstudyError
            If the file cannot be written: `NotFound` if its folder does not exist, `StorageFull` if no space
            is left, otherwise `InvalidInput`.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> understudy.fit(pd.DataFrame({"age": range(60)}), seed=1).save("people.model")
        """
        form = self._form.model_dump(mode="json", exclude_defaults=True)
        save_model(self.synthesizer, Path(path), extra={"seed": self.seed, FORM: form})


def choose_seed(seed: int | None) -> int:
    """Return the given seed, or a random seed if it is None."""
    return secrets.randbelow(SEED_LIMIT) if seed is None else seed
