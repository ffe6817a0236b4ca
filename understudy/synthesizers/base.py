"""What every synthesizer is: an algorithm with `fit` and `sample` over Arrow tables.

The constructor stores its parameters, `fit` checks and learns, `sample` only samples; what is learnt ends
in ``_``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from understudy.errors import InvalidInput
from understudy.parameters.needs import NOTHING_SPECIAL, Needs
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.progress import Progress, no_progress
from understudy.synthesizers.costs import Estimator, estimate_codes

# The workers' processes read the table of synthesizers, and do without the memory of numpy and Arrow.
if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from understudy.parameters.constraints import SamplingConstraints
    from understudy.tables.schema import TableSchema

Manifest = dict[str, Any]
Arrays = Mapping[str, "np.ndarray[Any, Any]"]


class Synthesizer(Protocol):
    """A fitted or unfitted synthesizer; its contract is `tests/contracts/test_synthesizers.py`."""

    name: ClassVar[str]

    def __init__(self, parameters: Any, *, seed: int) -> None:  # Any: each has parameters of its own type
        """Store the parameters and the seed of the fit."""
        ...

    def fit(
        self, table: pa.Table, schema: TableSchema, *, locale: str = "en", progress: Progress = no_progress
    ) -> Self:
        """Learn from the rows of a table.

        Parameters
        ----------
        table : pyarrow.Table of shape (n_rows, n_columns)
            Its columns are those of the schema, in order and type; not changed.
        schema : TableSchema
            The kinds of the columns.

        Raises
        ------
        InvalidInput
            If the table does not fit the schema, or has no rows.
        """
        ...

    def sample(
        self, n_rows: int, *, seed: int, offset: int = 0, constraints: SamplingConstraints | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows ``offset … offset + n_rows - 1`` of the endless table that the seed stands for.

        Row k of a seed is always the same, however the rows are cut into calls. Memory does not grow with
        n_rows.

        Parameters
        ----------
        constraints : SamplingConstraints, optional
            With conditions the table is not endless: it has the rows of its groups, one after the other.

        Raises
        ------
        InvalidInput
            If n_rows or offset is negative, or beyond the groups; if the control names an unknown column, a
            value that the column cannot have, or what the model holds impossible (`impossible_condition`);
            or if the synthesizer cannot be controlled (`unsupported_by_synthesizer`).
        Conflict
            If it was not fitted.
        """
        ...

    def effective_shares(self, constraints: SamplingConstraints) -> list[float]:
        """Return for each group of a control how many independent rows one drawn row is worth, from 0 to 1.

        The groups are the conditions, or the shares of a rebalanced column. The effective sample size of a
        group is its number of rows times this share (Kong 1992).

        Raises
        ------
        InvalidInput
            As `sample`.
        """
        ...

    def impute(self, table: pa.Table, *, seed: int, n_draws: int = 1) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table with their missing values drawn, the whole table `n_draws` times.

        What is present stays as it is. Each draw is a completion of its own, so that what differs between
        them shows how uncertain they are (multiple imputation, Rubin 1987).

        Raises
        ------
        InvalidInput
            If the table does not fit the schema, or the synthesizer cannot be controlled.
        Conflict
            If it was not fitted.
        """
        ...

    def card(self) -> Manifest:
        """Return what may be told about the fitted model: sizes, choices, what was suppressed, warnings."""
        ...

    def to_arrays(self) -> tuple[Manifest, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        ...

    @classmethod
    def from_arrays(cls, manifest: Manifest, arrays: Arrays) -> Self:
        """Return the fitted synthesizer that `to_arrays` took apart.

        Raises
        ------
        InvalidInput
            If something is missing, of another shape or type, or an index is out of range.
        """
        ...


@dataclass(frozen=True)
class SynthesizerEntry:
    """A line of the table of synthesizers: what the catalogue shows, and how to get at the algorithm.

    The algorithm is loaded when it is first needed: the API lists synthesizers without importing a compiler.
    """

    name: str
    summary: str
    parameters: type[SynthesizerParameters]
    load: Callable[[], type[Synthesizer]]
    # Whether it takes a control, and imputes.
    supports_constraints: bool
    # What a fit takes: (parameters, number of rows, number of columns) -> cost.
    estimate: Estimator = estimate_codes
    # Modules that a worker imports once, so that no job pays for them.
    preload: tuple[str, ...] = ()
    # Which class of workers, and which limits, its jobs need.
    needs: Needs = NOTHING_SPECIAL


def unsupported_by_synthesizer(name: str) -> InvalidInput:
    """Return the error for a synthesizer that knows no conditions."""
    return InvalidInput(
        f"The synthesizer {name!r} can neither be conditioned nor impute; train a tree_chain.",
        code="unsupported_by_synthesizer",
    )
