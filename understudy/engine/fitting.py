"""Schema inference from frames, and model fitting."""

from __future__ import annotations

from typing import Literal, get_args, overload

from understudy.engine import arguments
from understudy.engine.arguments import SchemaLike
from understudy.engine.model import Model, choose_seed
from understudy.engine.tables import conform_dataset, only_name, retain_dataset
from understudy.errors import InvalidInput
from understudy.frames.categories import apply_categories
from understudy.frames.datasets import FrameDataset, Frames, read_dataset
from understudy.parameters import calls
from understudy.parameters.calls import checked, refused, validate_again, whole_number
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers import SYNTHESIZERS, TreeChainParameters, make_synthesizer
from understudy.synthesizers.contexts import FitContext
from understudy.tables import inference
from understudy.tables.findings import Findings
from understudy.tables.formats.text_columns import with_typed_columns
from understudy.tables.schema import DatasetSchema
from understudy.tables.source import ArrowSource
from understudy.tables.validation import THE_TABLE

PRESETS: tuple[str, ...] = get_args(TreeChainParameters.model_fields["preset"].annotation)
"""Names of the tree chain's presets, which `fit` accepts as `synthesizer`."""

DEFAULT_SYNTHESIZER = "tree_chain"


@checked(
    data=calls.tables,
    schema=arguments.schema,
    subject=calls.names,
    seed=whole_number(),
)
def fit(
    data: Frames,
    *,
    schema: SchemaLike | None = None,
    subject: str | tuple[str, ...] | None = None,
    synthesizer: SynthesizerParameters | str = DEFAULT_SYNTHESIZER,
    seed: int | None = None,
) -> Model:
    """Fit a model on a table or a dataset.

    Parameters
    ----------
    data : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of table names to these
        Rows to learn from. Any object with `__arrow_c_stream__` is accepted as a table.
        A named index of a pandas frame is learned as a column. An unnamed index of integers is dropped.
    schema : DatasetSchema, Model, dict or TableSchema, optional
        Schema of the dataset, or a model that provides the schema. A TableSchema is accepted if there is only
        one table. Inferred with `infer_schema` if omitted.
    subject : str or tuple of str, optional
        Column or columns that identify the subject of each row, such as a patient. Privacy protection then
        counts subjects instead of rows. If omitted, the schema's subject is used. An inferred schema has a
        subject only if the evidence is clear. Pass `()` if the rows have no subject.
    synthesizer : str, TreeChainParameters or IndependentParameters, default "tree_chain"
        A preset of the tree chain (see `PRESETS`), the name of a synthesizer, or its parameters.
    seed : int, optional
        Seed of the random number generator. The same data and seed give the same model.
        Chosen at random if omitted, and stored as `Model.seed`.

    Returns
    -------
    Model
        The fitted model. Its method `Model.sample` returns synthetic rows.

    Raises
    ------
    InvalidInput
        If the data is not a table, has no rows, contains columns that cannot be synthesized, or does not
        conform to the schema. The error is also raised if the synthesizer is unknown, or supports only one
        table and the data has several tables.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
    >>> model = understudy.fit(people, synthesizer="best", seed=1)
    >>> model.sample(5, seed=2).shape
    (5, 2)
    """
    parameters = _parameters_of(synthesizer)
    dataset = read_dataset(data, name=only_name(schema))
    schema, findings = describe(dataset, schema, subject)
    tables = conform_dataset(dataset.tables, schema, THE_TABLE)
    chosen_seed = choose_seed(seed)
    data = {name: ArrowSource(table) for name, table in tables.items()}
    fitted = make_synthesizer(parameters).fit(data, schema, context=FitContext(seed=chosen_seed))
    form = retain_dataset(dataset, tables, schema)
    return Model(fitted, schema, form, seed=chosen_seed, findings=findings)


def describe(
    dataset: FrameDataset, schema: DatasetSchema | None, subject: str | tuple[str, ...] | None
) -> tuple[DatasetSchema, Findings | None]:
    """Return the findings and the schema, including the subject. Infer the schema if it is omitted."""
    findings = None
    if schema is None:
        schema, findings = _infer(dataset)
    if subject is not None:
        schema = _with_subject(schema, (subject,) if isinstance(subject, str) else tuple(subject))
    return schema, findings


def _parameters_of(synthesizer: SynthesizerParameters | str) -> SynthesizerParameters:
    if isinstance(synthesizer, SynthesizerParameters):
        again: SynthesizerParameters = validate_again(type(synthesizer), "synthesizer", synthesizer)
        return again
    if not isinstance(synthesizer, str):
        raise refused(
            "synthesizer",
            synthesizer,
            "Pass the name of a preset or synthesizer, or the parameters of a synthesizer.",
        )
    if synthesizer in PRESETS:
        return TreeChainParameters.model_validate({"name": DEFAULT_SYNTHESIZER, "preset": synthesizer})
    if synthesizer not in SYNTHESIZERS:
        known = ", ".join((*SYNTHESIZERS, *PRESETS))
        raise InvalidInput(
            f"There is no synthesizer or preset {synthesizer!r}. Choose one of {known}.",
            code="unknown_synthesizer",
        )
    return SYNTHESIZERS[synthesizer].parameters.model_validate({"name": synthesizer})


def _infer(dataset: FrameDataset) -> tuple[DatasetSchema, Findings]:
    typed = {name: with_typed_columns(table) for name, table in dataset.tables.items()}
    inferred = inference.infer_schema(
        {name: ArrowSource(table) for name, (table, _) in typed.items()},
        notes={name: notes for name, (_, notes) in typed.items()},
    )
    tables = {
        name: apply_categories(table, dataset.form.tables[name])
        for name, table in inferred.schema.tables.items()
    }
    return inferred.schema.model_copy(update={"tables": tables}), inferred.findings


def _with_subject(schema: DatasetSchema, subject: tuple[str, ...]) -> DatasetSchema:
    """Return the schema with the given subject for its only table."""
    if len(schema.tables) > 1:
        raise InvalidInput(
            f"`subject` can be used only with a single table, but the data has {len(schema.tables)}. "
            "Declare each table's subject in the schema (`TableSchema.subject`).",
            code="invalid_parameters",
        )
    (name, table), *_ = schema.tables.items()
    for column in subject:
        table.column(column)
    return schema.model_copy(update={"tables": {name: table.model_copy(update={"subject": subject})}})


@overload
def infer_schema(data: Frames, *, with_findings: Literal[False] = False) -> DatasetSchema: ...


@overload
def infer_schema(data: Frames, *, with_findings: Literal[True]) -> tuple[DatasetSchema, Findings]: ...


@checked(data=calls.tables)
def infer_schema(
    data: Frames, *, with_findings: bool = False
) -> DatasetSchema | tuple[DatasetSchema, Findings]:
    """Infer the schema of a dataset from the names, types and values of its columns.

    Parameters
    ----------
    data : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of table names to these
        Rows to examine, in any form that `fit` accepts.
    with_findings : bool, default False
        Whether to also return the findings: confidence and evidence for each column, and candidates for keys,
        subjects and relationships.

    Returns
    -------
    schema : DatasetSchema
        Schema with the kind and type of every column.
    findings : Findings
        Findings of the inference, returned only if `with_findings` is True.

    Raises
    ------
    InvalidInput
        If the data is not a table, has no rows, or has columns that cannot be synthesized.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
    >>> schema = understudy.infer_schema(people)
    >>> [(column.name, str(column.kind)) for column in schema.tables["table"].columns]
    [('age', 'integer'), ('city', 'category')]
    """
    inferred = _infer(read_dataset(data))
    return inferred if with_findings else inferred[0]
