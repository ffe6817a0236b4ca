"""The protocols of synthesizers, their declared capabilities, and their entries in the registry.

The constructor only stores parameters, `fit` validates and learns, and `sample` only samples. Names of
learned attributes end in ``_``. The contract tests are in `tests/contracts/test_synthesizers.py`. Importing
this module does not import Arrow or numpy, because the API and the workers read the registry without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from understudy.errors import InvalidInput
from understudy.parameters.needs import NOTHING_SPECIAL, Needs
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers.costs import Estimator, PhasesOf, estimate_codes, fitting_only
from understudy.tables.kinds import ColumnKind

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from understudy.parameters.constraints import SamplingConstraints
    from understudy.synthesizers.contexts import FitContext, SampleContext, SamplePlan
    from understudy.tables.schema import Column, DatasetSchema
    from understudy.tables.source import Dataset

# JSON with sizes, parameters, suppressed values, guarantees and warnings. The keys depend on the synthesizer.
ModelCard = dict[str, Any]
Json = dict[str, Any]


class ModelWriter(Protocol):
    """A destination for a synthesizer's arrays and JSON values."""

    def array(self, name: str, array: np.ndarray[Any, Any]) -> None:
        """Write an array under a unique name."""
        ...

    def json(self, name: str, value: Any) -> None:  # Any: JSON
        """Write a JSON value under a unique name."""
        ...


class ModelReader(Protocol):
    """A source for loading a synthesizer. The content is untrusted."""

    @property
    def schema(self) -> DatasetSchema:
        """Schema that the model was fitted with."""
        ...

    @property
    def arrays(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """The arrays of the model, by name."""
        ...

    def json(self, name: str) -> Any:  # Any: untrusted JSON
        """Return the JSON value with the given name."""
        ...


class Synthesizer(Protocol):
    """A fitted or unfitted synthesizer."""

    name: ClassVar[str]

    def __init__(self, parameters: Any) -> None:  # Any: the type of the parameters differs by synthesizer
        """Store the parameters."""
        ...

    @property
    def schema_(self) -> DatasetSchema:
        """Schema that the model was fitted with. Samples have the same schema.

        Raises
        ------
        Conflict
            If the synthesizer is not fitted.
        """
        ...

    def fit(self, data: Dataset, schema: DatasetSchema, *, context: FitContext) -> Self:
        """Learn from the tables of a dataset. The column kinds are taken from the schema.

        Parameters
        ----------
        data : mapping of table name to TableSource
            Source of each table in the schema, with the columns of the schema. The tables are not modified.
        schema : DatasetSchema
            Schema of the dataset.
        context : FitContext
            Seed, threads, progress and limits for the fit.

        Returns
        -------
        Synthesizer
            The same synthesizer, now fitted.

        Raises
        ------
        InvalidInput
            If a table does not conform to the schema or has no rows, or if the synthesizer does not support
            the schema (`unsupported_schema`).
        Conflict
            If the fit was cancelled.
        TooLarge
            If the fit exceeded its time budget.
        """
        ...

    def sample(self, plan: SamplePlan, *, context: SampleContext) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield record batches, each with the name of its table. Reference tables come first, unchanged.

        Memory use does not grow with the number of rows. With `Capabilities.addressable_rows`, row k for a
        given seed does not depend on how the rows are split across calls.

        Parameters
        ----------
        plan : SamplePlan
            Row counts, offset and constraints.
        context : SampleContext
            Seed, threads and cancellation for sampling.

        Raises
        ------
        InvalidInput
            If the plan contains an unknown table, an invalid range, or constraints that the synthesizer does
            not support (`unsupported_by_synthesizer`). The error is also raised if the constraints contain an
            unknown column, a value that the column cannot have, or a combination that is impossible under the
            model (`impossible_condition`).
        Conflict
            If the synthesizer is not fitted, or the sampling was cancelled.
        """
        ...

    def card(self) -> ModelCard:
        """Return the model card. The card contains no values from the tables."""
        ...

    def save(self, writer: ModelWriter) -> None:
        """Write the fitted model as JSON and plain arrays."""
        ...

    @classmethod
    def load(cls, reader: ModelReader) -> Self:
        """Return the fitted synthesizer that `save` wrote.

        Raises
        ------
        InvalidInput
            If an array or value is missing, has an unexpected shape or type, or contains an index out of
            range.
        """
        ...


@runtime_checkable
class SupportsConstraints(Protocol):
    """A synthesizer that supports sampling constraints in plans (see `Capabilities.constraints`)."""

    def condition_columns(self) -> Sequence[Column]:
        """Return the columns that constraints can name, including the parts of columns that were split."""
        ...

    def effective_shares(self, constraints: SamplingConstraints) -> list[float]:
        """Return the effective share of each group of rows, from 0 to 1.

        A group consists of the rows of one condition, or of one value of a rebalanced column. The effective
        sample size of a group is ``n_rows * effective_share``. It is the number of independent rows with the
        same amount of information (Kong 1992).

        Raises
        ------
        InvalidInput
            If the constraints are invalid. `Synthesizer.sample` lists the cases.
        """
        ...


@runtime_checkable
class SupportsImputation(Protocol):
    """A synthesizer that imputes missing values (see `Capabilities.imputation`)."""

    def impute(
        self, data: Dataset, *, n_draws: int = 1, context: SampleContext
    ) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows of each data table `n_draws` times, with missing values imputed.

        Existing values stay unchanged. The draws are independent, so the variation between them reflects the
        uncertainty of the imputed values (multiple imputation, Rubin 1987).

        Raises
        ------
        InvalidInput
            If a table does not conform to the schema.
        Conflict
            If the synthesizer is not fitted, or the imputation was cancelled.
        """
        ...


@dataclass(frozen=True)
class Capabilities:
    """Capabilities that a synthesizer declares.

    Parameters
    ----------
    tables : {"one", "many"}
        Number of data tables that a schema may have: exactly one, or several with relationships. Reference
        tables are not counted.
    learned_kinds : frozenset of ColumnKind
        Column kinds that are learned. Columns of other kinds are generated.
    constraints : bool
        Whether the synthesizer implements `SupportsConstraints`.
    imputation : bool
        Whether the synthesizer implements `SupportsImputation`.
    addressable_rows : bool
        Whether row k is the same in every call with the same seed, so that a plan may have an offset.
    reproducibility : {"bytes", "seed", "none"}
        Guarantee for runs with the same seed: byte-identical model and rows, identical rows on
        the same machine, or none.
    guarantee : {"heuristic", "differential_privacy"}
        Type of privacy protection.
    device : {"cpu", "gpu"}
        Device that a fit requires.
    """

    tables: Literal["one", "many"]
    learned_kinds: frozenset[ColumnKind]
    constraints: bool
    imputation: bool
    addressable_rows: bool
    reproducibility: Literal["bytes", "seed", "none"]
    guarantee: Literal["heuristic", "differential_privacy"]
    device: Literal["cpu", "gpu"]


@dataclass(frozen=True)
class SynthesizerEntry:
    """Registry entry for a synthesizer: its catalog data and a function that loads its class.

    The class is loaded on first use, so that the API can list synthesizers without importing a compiler.

    Parameters
    ----------
    name : str
        Unique name of the synthesizer.
    summary : str
        One sentence for the catalog.
    parameters : type
        Parameter class of the synthesizer.
    load : callable () -> type of Synthesizer
        Function that imports and returns the class.
    capabilities : Capabilities
        Capabilities of the synthesizer.
    estimate : callable (parameters, n_rows, n_columns) -> FitCost
        Function that estimates the cost of a fit.
    phases : callable (parameters) -> tuple of FitPhase
        Function that returns the phases that a fit reports, in order.
    preload : tuple of str
        Modules that a worker imports once, so that jobs do not import them again.
    needs : Needs
        Worker class and limits that jobs with the synthesizer need.
    """

    name: str
    summary: str
    parameters: type[SynthesizerParameters]
    load: Callable[[], type[Synthesizer]]
    capabilities: Capabilities
    estimate: Estimator = estimate_codes
    phases: PhasesOf = fitting_only
    preload: tuple[str, ...] = ()
    needs: Needs = NOTHING_SPECIAL


def load_class(place: str) -> Callable[[], type[Synthesizer]]:
    """Return a function that imports the class ``module:Class`` when it is called."""

    def load() -> type[Synthesizer]:
        module, _, name = place.partition(":")
        loaded: type[Synthesizer] = getattr(import_module(module), name)
        return loaded

    return load


def unsupported_by_synthesizer(name: str) -> InvalidInput:
    """Return the error for a synthesizer that supports neither constraints nor imputation."""
    return InvalidInput(
        f"The synthesizer {name!r} supports neither sampling constraints nor imputation. Fit a model with a "
        "synthesizer that does, such as 'tree_chain'.",
        code="unsupported_by_synthesizer",
    )
