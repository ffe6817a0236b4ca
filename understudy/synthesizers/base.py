"""The contract of synthesizers, what a synthesizer declares, and its entry in the registry.

The constructor stores parameters, `fit` checks and learns, `sample` only samples; what is learned ends in
``_``. The contract's tests are `tests/contracts/test_synthesizers.py`. Importing this module loads neither
Arrow nor numpy: the API and the workers read the registry without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from understudy.errors import InvalidInput
from understudy.parameters.needs import NOTHING_SPECIAL, Needs
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers.costs import Estimator, estimate_codes
from understudy.tables.kinds import ColumnKind

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from understudy.parameters.constraints import SamplingConstraints
    from understudy.synthesizers.contexts import FitContext, SampleContext, SamplePlan
    from understudy.tables.schema import DatasetSchema
    from understudy.tables.source import Dataset

# JSON, which differs by synthesizer: sizes, choices, what was suppressed, promises and warnings.
ModelCard = dict[str, Any]
Json = dict[str, Any]


class ModelWriter(Protocol):
    """What a synthesizer saves itself to."""

    def array(self, name: str, array: np.ndarray[Any, Any]) -> None:
        """Write an array under a name of its own."""
        ...

    def json(self, name: str, value: Any) -> None:  # Any: JSON
        """Write a JSON value under a name of its own."""
        ...


class ModelReader(Protocol):
    """What a synthesizer is loaded from. Nothing in it can be trusted."""

    @property
    def schema(self) -> DatasetSchema:
        """The schema that the model was fitted under."""
        ...

    @property
    def arrays(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """The arrays by name."""
        ...

    def json(self, name: str) -> Any:  # Any: JSON from outside
        """Return a JSON value."""
        ...


class Synthesizer(Protocol):
    """A fitted or unfitted synthesizer."""

    name: ClassVar[str]

    def __init__(self, parameters: Any) -> None:  # Any: each has parameters of its own type
        """Store the parameters."""
        ...

    @property
    def schema_(self) -> DatasetSchema:
        """The schema that the model was fitted under, which its samples have.

        Raises
        ------
        Conflict
            If it was not fitted.
        """
        ...

    def fit(self, data: Dataset, schema: DatasetSchema, *, context: FitContext) -> Self:
        """Learn from the tables of a dataset. The schema is trusted: no column is examined.

        Parameters
        ----------
        data : mapping of table name to TableSource
            A source for each table of the schema, with its columns; not changed.

        Raises
        ------
        InvalidInput
            If a table does not fit the schema or has no rows, or if the schema declares what the synthesizer
            does not support (`unsupported_schema`).
        Conflict, TooLarge
            If the context ends the fit.
        """
        ...

    def sample(self, plan: SamplePlan, *, context: SampleContext) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield rows of the tables, each with its table's name; reference tables first, as they were.

        Memory does not grow with the number of rows. With `Capabilities.addressable_rows`, row k of a seed is
        the same however the rows are cut into calls.

        Raises
        ------
        InvalidInput
            If the plan names an unknown table or an impossible range; if its constraints name an unknown
            column, a value that the column cannot have, or what the model holds impossible
            (`impossible_condition`); or if the synthesizer supports no constraints
            (`unsupported_by_synthesizer`).
        Conflict
            If it was not fitted.
        """
        ...

    def card(self) -> ModelCard:
        """Return facts about the fitted model that contain no values of its tables."""
        ...

    def save(self, writer: ModelWriter) -> None:
        """Write what was learned as JSON and plain arrays."""
        ...

    @classmethod
    def load(cls, reader: ModelReader) -> Self:
        """Return the fitted synthesizer that `save` wrote.

        Raises
        ------
        InvalidInput
            If something is missing, of another shape or type, or an index is out of range.
        """
        ...


@runtime_checkable
class SupportsConstraints(Protocol):
    """A synthesizer with `Capabilities.constraints`: its plans may contain sampling constraints."""

    def effective_shares(self, constraints: SamplingConstraints) -> list[float]:
        """Return for each group of rows how many independent rows one sampled row is worth, from 0 to 1.

        The groups are the conditions, or the shares of a rebalanced column. The effective sample size of a
        group is its number of rows times this share (Kong 1992).

        Raises
        ------
        InvalidInput
            As `Synthesizer.sample`.
        """
        ...


@runtime_checkable
class SupportsImputation(Protocol):
    """A synthesizer with `Capabilities.imputation`."""

    def impute(
        self, data: Dataset, *, n_draws: int = 1, context: SampleContext
    ) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows of each data table with their missing values drawn, the whole table `n_draws` times.

        Present values stay as they are. Each draw is a completion of its own, so that the differences between
        draws show how uncertain they are (multiple imputation, Rubin 1987).

        Raises
        ------
        InvalidInput
            If a table does not fit the schema.
        Conflict
            If it was not fitted.
        """
        ...


@dataclass(frozen=True)
class Capabilities:
    """What a synthesizer can do.

    Parameters
    ----------
    tables : str
        Whether a schema may have one data table only, or many that relate. Reference tables do not count.
    learned_kinds : frozenset of ColumnKind
        Kinds whose values are learned; values of other kinds are generated.
    constraints, imputation : bool
        Whether it is a `SupportsConstraints` and a `SupportsImputation`.
    addressable_rows : bool
        Whether row k of a seed is the same in every call, so that a plan may have an offset.
    reproducibility : str
        What a seed repeats: the bytes of model and rows, the rows on the same machine, or nothing.
    guarantee : str
        What protects the table's rows.
    device : str
        What a fit runs on.
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
    """A synthesizer in the registry: what the catalogue shows, and how to load the algorithm.

    The algorithm is loaded when it is first needed: the API lists synthesizers without importing a compiler.

    Parameters
    ----------
    estimate : callable (parameters, n_rows, n_columns) -> FitCost
        The cost of a fit.
    preload : tuple of str
        Modules that a worker imports once, so that no job pays for them.
    needs : Needs
        The class of workers and the limits that its jobs need.
    """

    name: str
    summary: str
    parameters: type[SynthesizerParameters]
    load: Callable[[], type[Synthesizer]]
    capabilities: Capabilities
    estimate: Estimator = estimate_codes
    preload: tuple[str, ...] = ()
    needs: Needs = NOTHING_SPECIAL


def load_class(place: str) -> Callable[[], type[Synthesizer]]:
    """Return a function that imports a class when it is called, from its place ``module:Class``."""

    def load() -> type[Synthesizer]:
        module, _, name = place.partition(":")
        loaded: type[Synthesizer] = getattr(import_module(module), name)
        return loaded

    return load


def unsupported_by_synthesizer(name: str) -> InvalidInput:
    """Return the error for a synthesizer that supports neither constraints nor imputation."""
    return InvalidInput(
        f"The synthesizer {name!r} supports neither sampling constraints nor imputation. Fit a model of one "
        "that does, such as 'tree_chain'.",
        code="unsupported_by_synthesizer",
    )
