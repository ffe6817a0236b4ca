"""Split a dataset into training rows and a holdout. All code that holds out rows uses this split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput
from understudy.tables.source import ArrowSource, Dataset, read_source
from understudy.tables.splitmix import mix64

if TYPE_CHECKING:
    from understudy.tables.schema import DatasetSchema, Relationship

# If at least this number of subjects or roots is expected to be held out, at least one is always held out.
N_UNITS_EXPECTED_MIN = 0.5
By = Literal["row", "subject", "root"]
Mask = NDArray[np.bool_]
Hashes = NDArray[np.uint64]


class Split(BaseModel):
    """A reproducible split of a dataset into training rows and held-out rows.

    Units of rows are held out as a whole. `by` defines the units:

    - ``row``: each row is a unit.
    - ``subject``: the rows of one subject are a unit. In a table without a declared subject, each row is a
      unit.
    - ``root``: a row belongs to the unit of its parent, and therefore to the unit of its root in the forest
      of relationships. Rows without a parent are roots. In a table that declares a subject, the rows of one
      subject are a unit.

    A row with a missing value in any subject column counts as a separate subject.

    Notes
    -----
    Whether a unit is held out depends only on a hash (SplitMix64) of the seed and the unit. For a subject,
    the hash covers the value as text, so the split depends neither on the order of the rows nor on the
    storage type. For a single row, it covers the row's position, so a longer table with the same seed begins
    with the same decisions.

    The split of a model is stored in `extra` of its file, and in `seed`, `holdout_fraction` and
    ``card["holdout"]["by"]`` of its record. Models from versions of Understudy that did not support units
    have no `by` and are split by row. To recompute the masks, use the training schema, which the model also
    stores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(description="Seed of the hash that selects the held-out units.")]
    holdout_fraction: Annotated[
        float, Field(ge=0, le=1, description="Expected fraction of units that are held out, from 0 to 1.")
    ]
    by: Annotated[
        By,
        Field(
            description="Unit that is held out as a whole: a row, the rows of a subject, or all rows below "
            "one root."
        ),
    ] = "row"

    @classmethod
    def of(cls, schema: DatasetSchema, *, holdout_fraction: float, seed: int) -> Split:
        """Return the split for a schema.

        The split is by root if the schema declares relationships, by subject if it declares only a subject,
        and otherwise by row.

        Raises
        ------
        InvalidInput
            If the fraction is not between 0 and 1.
        """
        _check_fraction(holdout_fraction)
        has_subject = any(table.subject for table in schema.tables.values())
        by: By = "root" if schema.relationships else "subject" if has_subject else "row"
        return cls(seed=seed, holdout_fraction=holdout_fraction, by=by)

    def mask(self, table: pa.Table, subject: Sequence[str]) -> Mask:
        """Return the mask of the held-out rows in a table without relationships.

        Parameters
        ----------
        subject : sequence of str
            Names of the subject columns. Empty if the table has no subject.
        """
        units = _own_units(ArrowSource(table), subject if self.by != "row" else ())
        return self._decide({"table": units})["table"]

    def divide(self, table: pa.Table, subject: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        """Return the training rows and the held-out rows of a table that has no relationships."""
        if self.holdout_fraction == 0:
            return table, table.slice(0, 0)
        mask = self.mask(table, subject)
        return table.filter(pa.array(~mask)), table.filter(pa.array(mask))

    def masks(self, data: Dataset, schema: DatasetSchema) -> dict[str, Mask]:
        """Return the mask of the held-out rows in each table.

        Notes
        -----
        A table with several parents follows one of them: the first listed relationship that leads to a
        declared subject, or otherwise the first listed one. Relationships of a table to itself, to a
        reference table, and those that would close a cycle are not followed. Rows of reference tables are
        never held out. The rows below one of the other parents can be divided between training and holdout.
        """
        followed = followed_relationships(schema) if self.by == "root" else {}
        units: dict[str, Hashes] = {}
        for name in _parents_first(schema, followed):
            table = schema.tables[name]
            subject = table.subject if self.by != "row" else ()
            units[name] = _own_units(data[name], subject)
            if name in followed:
                parent = followed[name].parent
                units[name] = _follow(followed[name], data, units[name], units[parent])
        return self._decide({name: units[name] for name in schema.tables if name in units}) | {
            name: np.zeros(data[name].n_rows, dtype=np.bool_)
            for name, table in schema.tables.items()
            if table.role == "reference"
        }

    def _decide(self, units: Mapping[str, Hashes]) -> dict[str, Mask]:
        masks = {name: is_held_out(own, self.holdout_fraction, seed=self.seed) for name, own in units.items()}
        if self.by != "row" and not any(mask.any() for mask in masks.values()):
            masks = self._hold_out_one(units)
        # If there are few units, all of them may be selected. Then no training rows would remain, so no unit
        # is held out.
        if self.by != "row" and self.holdout_fraction < 1 and all(mask.all() for mask in masks.values()):
            return {name: np.zeros_like(mask) for name, mask in masks.items()}
        return masks

    def _hold_out_one(self, units: Mapping[str, Hashes]) -> dict[str, Mask]:
        """Return masks of one held-out unit, or empty masks if too few units are expected in the holdout."""
        places = {name: _places(own, seed=self.seed) for name, own in units.items()}
        every = np.unique(np.concatenate([*places.values(), np.zeros(0)]))
        is_expected = self.holdout_fraction * len(every) >= N_UNITS_EXPECTED_MIN
        lowest = every[0] if is_expected else -1.0
        return {name: np.asarray(own <= lowest) for name, own in places.items()}


def _places(units: Hashes, *, seed: int) -> NDArray[np.float64]:
    """Return a pseudorandom number from 0 to 1 for each unit."""
    start = mix64(np.array([seed % 2**64], dtype=np.uint64))
    places: NDArray[np.float64] = (mix64(start + units) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return places


def is_held_out(units: Hashes, fraction: float, *, seed: int) -> Mask:
    """Return a mask of the held-out units.

    Each unit is selected independently, so the actual fraction varies randomly.

    Raises
    ------
    InvalidInput
        If the fraction is not between 0 and 1.
    """
    _check_fraction(fraction)
    return np.asarray(_places(units, seed=seed) < fraction)


def _check_fraction(fraction: float) -> None:
    if not 0 <= fraction <= 1:
        raise InvalidInput(
            f"The holdout fraction {fraction} is not between 0 and 1. Choose a number from 0 to 1.",
            code="invalid_parameters",
        )


def check_holdout(n_held_out: int, fraction: float) -> None:
    """Check that a holdout with a fraction above 0 is not empty.

    Raises
    ------
    InvalidInput
        If the fraction is above 0 but no row is held out.
    """
    if n_held_out == 0 and fraction > 0:
        raise InvalidInput(
            f"No row is held out: the dataset has too few rows or subjects for the fraction {fraction}. "
            "Choose a larger fraction or another seed.",
            code="invalid_parameters",
        )


def row_units(n_rows: int) -> Hashes:
    """Return the row numbers as units, for a table where each row is a unit."""
    return np.arange(n_rows, dtype=np.uint64)


def hash_values(table: pa.Table) -> tuple[Hashes, Mask]:
    """Return a hash of each row's values, and a mask of the rows with at least one missing value.

    Values are hashed as text, so the hash does not depend on the storage type. For example, 5 and "5" have
    the same hash.
    """
    hashes = np.zeros(table.num_rows, dtype=np.uint64)
    is_missing = np.zeros(table.num_rows, dtype=np.bool_)
    for column in table.columns:
        texts = _as_text(column).combine_chunks()
        # Any: the stubs do not include the indices of a dictionary array.
        encoded: Any = texts.dictionary_encode()
        is_missing |= np.asarray(texts.is_null())
        digests = np.array([_digest(text) for text in encoded.dictionary.to_pylist()] or [0], dtype=np.uint64)
        codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        hashes = mix64(hashes ^ digests[codes])
    return hashes, is_missing


def followed_relationships(schema: DatasetSchema) -> dict[str, Relationship]:
    """Return the relationship that the rows of each child table follow. See `Split.masks`."""
    followed: dict[str, Relationship] = {}
    for name, table in schema.tables.items():
        if table.role == "reference":
            continue
        parents = _parents(schema, name)
        # Rows of one subject have the same parent row if the subject is a foreign key.
        if table.subject:
            parents = [one for one in parents if set(one.child_columns) == set(table.subject)]
        candidates = sorted(parents, key=lambda one: not _leads_to_subject(schema, one.parent, {name}))
        for relationship in candidates:
            if name not in _ancestors(relationship.parent, followed):
                followed[name] = relationship
                break
    return followed


def _parents(schema: DatasetSchema, name: str) -> list[Relationship]:
    return [
        one
        for one in schema.relationships
        if one.child == name and one.parent != name and schema.tables[one.parent].role != "reference"
    ]


def _leads_to_subject(schema: DatasetSchema, name: str, seen: set[str]) -> bool:
    if schema.tables[name].subject:
        return True
    return any(
        _leads_to_subject(schema, one.parent, seen | {name})
        for one in _parents(schema, name)
        if one.parent not in seen
    )


def _ancestors(name: str, followed: Mapping[str, Relationship]) -> list[str]:
    """Return the names of a table and its ancestors, up to the root."""
    ancestors = [name]
    while ancestors[-1] in followed:
        ancestors.append(followed[ancestors[-1]].parent)
    return ancestors


def _parents_first(schema: DatasetSchema, followed: Mapping[str, Relationship]) -> list[str]:
    """Return the names of all data tables. Each table comes after the parent table that its rows follow."""
    names = [name for name, table in schema.tables.items() if table.role != "reference"]
    return sorted(names, key=lambda name: len(_ancestors(name, followed)))


def _own_units(source: Any, subject: Sequence[str]) -> Hashes:
    units = row_units(source.n_rows)
    if not subject:
        return units
    hashes, is_missing = hash_values(read_source(source, list(subject)))
    return np.where(is_missing, units, hashes)


def _follow(relationship: Relationship, data: Dataset, own: Hashes, parents: Hashes) -> Hashes:
    """Return the unit of each child row's parent, or the row's own unit if the row has no parent."""
    wanted, is_missing = hash_values(read_source(data[relationship.child], relationship.child_columns))
    keys, _ = hash_values(read_source(data[relationship.parent], relationship.parent_columns))
    known, first = np.unique(keys, return_index=True)
    if not len(known):
        return own
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    is_found = (known[places] == wanted) & ~is_missing
    return np.where(is_found, parents[first[places]], own)


# Any: columns of any type.
def _as_text(column: Any) -> Any:
    if pa.types.is_duration(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.large_string())


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
