"""The input of metrics: the encoded tables of one comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.errors import InvalidInput
from understudy.evaluation.encoding import EncodedTable, Rows, TableEncoder, draw_rows
from understudy.evaluation.key_columns import KeyColumn, Keys, encode_keys
from understudy.evaluation.subjects import count_shared, number_subjects
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.tables.notation import PlainNotation, read_metadata
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.schema import Column, TableSchema
from understudy.tables.validation import Origin, conform

# Maximum number of rows per table. With this number of rows, shares are accurate to a tenth of a percentage
# point. Larger tables are sampled.
N_ROWS_MAX_REAL = 500_000
N_ROWS_MAX_OTHER = 250_000

# The boolean column that marks the planted canaries in a table of canaries.
IS_PLANTED = "is_planted"

# The names of tables in error messages.
_REMEDY = "Provide a table with the columns and types of the real table."
ORIGINS = {
    "real": Origin("The real table"),
    "synthetic": Origin("The synthetic table", _REMEDY),
    "holdout": Origin("The holdout", _REMEDY),
    "canaries": Origin(
        "The table of canaries", "Provide the file that was written when the canaries were planted."
    ),
}

T = TypeVar("T")


@dataclass(frozen=True)
class Canaries:
    """Fictional rows. Some of them were planted in the training table.

    Parameters
    ----------
    table : EncodedTable
        All canaries.
    is_planted : bool array of shape (n_canaries,)
        Whether a canary was planted. The other canaries were generated in the same way and serve as the
        control.
    """

    table: EncodedTable
    is_planted: NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """A real table and the synthetic table to score, with the holdout, the canaries and the options.

    Parameters
    ----------
    encoder : TableEncoder
        The encoder of the tables, which maps each code to its category.
    real, synthetic : EncodedTable
        The training rows and the rows to score.
    holdout : EncodedTable or None
        Real rows that the model was not trained on.
    canaries : Canaries or None
        The canaries, or None if no canaries were planted.
    options : EvaluationOptions
        The roles of the columns, and the queries to answer.
    seed : int
        The seed for all random choices.
    is_reference : bool
        Whether another table has replaced the synthetic table, as in a baseline. In this case, only the score
        is needed. The results must not identify rows, because these rows could be real.
    key_columns : tuple of KeyColumn
        The columns with unscored values, in the order of `EncodedTable.keys`.
    notations : mapping of str to notation
        For each column, the notation of its values in the file of the synthetic table.
    """

    encoder: TableEncoder
    real: EncodedTable
    synthetic: EncodedTable
    holdout: EncodedTable | None = None
    canaries: Canaries | None = None
    options: EvaluationOptions = field(default_factory=EvaluationOptions)
    seed: int = 0
    is_reference: bool = False
    key_columns: tuple[KeyColumn, ...] = ()
    notations: Mapping[str, AnyNotation] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _known_of_real: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def target(self) -> str | None:
        """The column to predict."""
        return self.options.target

    @property
    def has_subjects(self) -> bool:
        """Whether a subject is declared. If so, metrics count and sample subjects instead of rows."""
        return self.real.subjects is not None

    @property
    def n_shared_subjects(self) -> int | None:
        """Number of subjects in both the real table and the holdout, or None if no subject is declared."""
        return None if self.holdout is None else count_shared(self.real.subjects, self.holdout.subjects)

    @property
    def columns(self) -> Sequence[Column]:
        """The columns of the schema, in the order of the encoded arrays."""
        return [encoder.column for encoder in self.encoder.columns]

    def encoder_index(self, name: str) -> int:
        """Return the position of a column."""
        return [column.name for column in self.columns].index(name)

    def once(self, name: str, compute: Callable[[Comparison], T]) -> T:
        """Return an intermediate result that several metrics share and that is computed on first use."""
        if name not in self._known:
            self._known[name] = compute(self)
        return cast(T, self._known[name])

    def once_of_real(self, name: str, compute: Callable[[Comparison], T]) -> T:
        """Return an intermediate result that depends only on real tables and that the baselines share."""
        if name not in self._known_of_real:
            self._known_of_real[name] = compute(self)
        return cast(T, self._known_of_real[name])

    def with_tables(self, **tables: EncodedTable | None) -> Comparison:
        """Return a copy of the comparison with some tables replaced."""
        # `Any` is needed because the fields have different types.
        changed: dict[str, Any] = {**tables, "_known": {}, "is_reference": True}
        if tables.keys() & {"real", "holdout"}:
            changed["_known_of_real"] = {}
        return replace(self, **changed)

    def rng(self, purpose: str) -> np.random.Generator:
        """Return a separate random generator for each purpose so that metrics do not affect each other."""
        return np.random.default_rng([self.seed, *purpose.encode()])


@dataclass(frozen=True)
class ComparisonTables:
    """The tables of a comparison. The evaluation does not modify them.

    Parameters
    ----------
    real : pyarrow.Table
        The rows that the model was trained on.
    synthetic : pyarrow.Table
        The rows to score.
    holdout : pyarrow.Table, optional
        Real rows that the model was not trained on. Some metrics have no score without them.
    canaries : pyarrow.Table, optional
        Fictional rows with the columns of the schema and the boolean column `IS_PLANTED`. Some of these rows
        were planted in the real table.
    """

    real: pa.Table
    synthetic: pa.Table
    holdout: pa.Table | None = None
    canaries: pa.Table | None = None


def compare(
    tables: ComparisonTables,
    schema: TableSchema,
    *,
    unscored: Sequence[str] = (),
    options: EvaluationOptions | None = None,
    seed: int = 0,
) -> Comparison:
    """Check and encode the tables of a comparison.

    Parameters
    ----------
    unscored : sequence of str
        Names of the columns with scored structure but unscored values. The canary table does not contain
        these columns. The unscored columns always include the subject columns.

    Raises
    ------
    InvalidInput
        If a table has no rows or does not conform to the schema, or if the options name a column that is
        not in the schema or is a subject column.
    """
    options = options or EvaluationOptions()
    by_role = _by_role(tables)
    _check(by_role, schema, options)
    planted = None
    if tables.canaries is not None:
        planted = np.asarray(tables.canaries[IS_PLANTED].to_numpy(), dtype=np.bool_)
        by_role["canaries"] = tables.canaries.drop_columns([IS_PLANTED])
    named = [name for name in schema.names if name not in unscored or name in schema.subject]
    scored_or_subject = schema.select(named)
    by_role = {
        role: conform(table, scored_or_subject if role == "canaries" else schema, ORIGINS[role])
        for role, table in by_role.items()
    }
    subjects = number_subjects(by_role, schema.subject)
    # The identity of a subject must not help an attacker, and a synthetic table should not reproduce it.
    scored = without_subject(scored_or_subject)
    key_columns, keys = _keys(by_role, schema, scored)
    by_role = {role: table.select(scored.names) for role, table in by_role.items()}
    others = [table for role, table in by_role.items() if role != "real"]
    encoder = TableEncoder.fit(by_role["real"], others, scored, subjects["real"])
    encoded = {
        role: replace(encode(encoder, table, subjects[role], role=role, seed=seed), keys=keys.get(role, ()))
        for role, table in by_role.items()
    }
    return Comparison(
        encoder,
        encoded["real"],
        encoded["synthetic"],
        encoded.get("holdout"),
        canaries=None if planted is None else Canaries(encoded["canaries"], planted),
        options=options,
        seed=seed,
        key_columns=key_columns,
        notations=_notations(tables.synthetic.schema),
    )


def _notations(schema: pa.Schema) -> dict[str, AnyNotation]:
    found = {field.name: read_metadata(field.metadata) for field in schema}
    return {
        name: notation
        for name, notation in found.items()
        if notation is not None and not isinstance(notation, PlainNotation)
    }


def _keys(
    by_role: Mapping[str, pa.Table], schema: TableSchema, scored: TableSchema
) -> tuple[tuple[KeyColumn, ...], dict[str, Keys]]:
    names = set(scored.names)
    compared = {role: table for role, table in by_role.items() if role != "canaries"}
    return encode_keys(compared, [column for column in schema.columns if column.name not in names])


def _by_role(tables: ComparisonTables) -> dict[str, pa.Table]:
    """Return the real, synthetic and holdout tables by role."""
    by_role = {"real": tables.real, "synthetic": tables.synthetic}
    return by_role if tables.holdout is None else by_role | {"holdout": tables.holdout}


def _check(tables: Mapping[str, pa.Table], schema: TableSchema, options: EvaluationOptions) -> None:
    for role, table in tables.items():
        if table.num_rows == 0:
            raise InvalidInput(
                f"The {role} table has no rows. Provide a table with at least one row.", code="no_rows"
            )
    for name, pointer in options.named_columns.items():
        if schema.column(name).name in schema.subject:
            raise InvalidInput(
                f"Column {name!r} identifies the subject, so it is excluded from all metrics. "
                f"Use another column in `{pointer.split('/')[1]}`.",
                code="invalid_parameters",
                pointer=pointer,
            )


def without_subject(schema: TableSchema) -> TableSchema:
    """Return the schema without the subject columns, which no metric uses.

    Raises
    ------
    InvalidInput
        If no columns remain.
    """
    names = [name for name in schema.names if name not in schema.subject]
    if not names:
        raise InvalidInput(
            "The table has no column apart from its subject, so there is nothing to compare. Add a column.",
            code="no_columns",
        )
    return schema.select(names)


def encode(
    encoder: TableEncoder, table: pa.Table, subjects: Rows | None = None, *, role: str, seed: int
) -> EncodedTable:
    """Return a table, or a sample of the rows of a large table, as arrays."""
    n_rows_max = N_ROWS_MAX_REAL if role == "real" else N_ROWS_MAX_OTHER
    rng = np.random.default_rng([seed, *role.encode()])
    return encoder.encode(table, draw_rows(table.num_rows, n_rows_max, subjects, rng), subjects)
