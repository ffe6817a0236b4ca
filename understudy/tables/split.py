"""The split of a dataset into training rows and a holdout: the only one, used wherever rows are set aside."""

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

By = Literal["row", "subject", "root"]
Mask = NDArray[np.bool_]
Hashes = NDArray[np.uint64]


class Split(BaseModel):
    """Which rows of a dataset are held out.

    A unit is held out as a whole. What a unit is, `by` says:

    - ``row``: each row by itself.
    - ``subject``: the rows of one subject, where the table declares one; else each row by itself.
    - ``root``: a row follows its parent, and so its root in the forest of relationships; a table that
      declares a subject goes by that subject. Rows without a parent are roots.

    A row whose subject is missing, even in one of several columns, is a subject of its own.

    Notes
    -----
    A decision is a hash of the seed and of the unit alone (SplitMix64). The unit is the subject's value, as
    text, so the split does not depend on the order of the rows or on how the value is stored; for a row by
    itself it is the row's position, so a longer table with the same seed begins with the same decisions.

    A model keeps its split: its file in `extra`, and its record in `seed`, `holdout_fraction` and
    ``card["holdout"]["by"]``. Models of before there were units have no `by`: theirs is a split by row. To
    recompute the masks, use the schema that the model was trained with, which the model keeps, too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    holdout_fraction: Annotated[
        float, Field(ge=0, le=1, description="Expected share of the units that are held out.")
    ]
    by: Annotated[
        By,
        Field(description="What is held out as a whole: a row, a subject, or all rows below one root."),
    ] = "row"

    @classmethod
    def of(cls, schema: DatasetSchema, *, holdout_fraction: float, seed: int) -> Split:
        """Return the split that suits a schema: by root, by subject, or by row where it declares neither.

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
        """Return the mask of the held-out rows of one table without relationships, and with this subject."""
        units = _own_units(ArrowSource(table), subject if self.by != "row" else ())
        return self._decide({"table": units})["table"]

    def divide(self, table: pa.Table, subject: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        """Return the training rows and the held-out rows of one table."""
        if self.holdout_fraction == 0:
            return table, table.slice(0, 0)
        mask = self.mask(table, subject)
        return table.filter(pa.array(~mask)), table.filter(pa.array(mask))

    def masks(self, data: Dataset, schema: DatasetSchema) -> dict[str, Mask]:
        """Return the mask of the held-out rows of each table.

        Notes
        -----
        A table with several parents follows one: the first relationship listed that leads to a declared
        subject, else the first one listed. Not followed are relationships to the table itself, those that
        would close a circle, and those with reference tables, of which no row is ever held out. Rows below
        the other parents can stand on both sides.
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
        # Of few units, all may be drawn: then nothing would be left to learn from, so none is held out.
        if self.by != "row" and self.holdout_fraction < 1 and all(mask.all() for mask in masks.values()):
            return {name: np.zeros_like(mask) for name, mask in masks.items()}
        return masks


def is_held_out(units: Hashes, fraction: float, *, seed: int) -> Mask:
    """Return which units are held out: each is decided by itself, so the real share differs by chance.

    Raises
    ------
    InvalidInput
        If the fraction is not between 0 and 1.
    """
    _check_fraction(fraction)
    start = mix64(np.array([seed % 2**64], dtype=np.uint64))
    uniform = (mix64(start + units) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(uniform < fraction)


def _check_fraction(fraction: float) -> None:
    if not 0 <= fraction <= 1:
        raise InvalidInput(
            f"The holdout fraction is {fraction}. Choose one between 0 and 1.", code="invalid_parameters"
        )


def check_holdout(n_held_out: int, fraction: float) -> None:
    """Refuse an empty holdout where one was asked for.

    Raises
    ------
    InvalidInput
        If no row is held out although the fraction is above 0.
    """
    if n_held_out == 0 and fraction > 0:
        raise InvalidInput(
            f"No row is held out: the data have too few rows or subjects for a fraction of {fraction}. "
            "Choose a larger fraction or another seed.",
            code="invalid_parameters",
        )


def row_units(n_rows: int) -> Hashes:
    """Return units of one row each."""
    return np.arange(n_rows, dtype=np.uint64)


def hash_values(table: pa.Table) -> tuple[Hashes, Mask]:
    """Return a hash of each row's values, and where one of them is missing.

    Equal texts have equal hashes, whatever types they are stored in: 5 and "5" are the same value.
    """
    hashes = np.zeros(table.num_rows, dtype=np.uint64)
    is_missing = np.zeros(table.num_rows, dtype=np.bool_)
    for column in table.columns:
        texts = _as_text(column).combine_chunks()
        # Any: the stubs do not know that a dictionary has indices.
        encoded: Any = texts.dictionary_encode()
        is_missing |= np.asarray(texts.is_null())
        digests = np.array([_digest(text) for text in encoded.dictionary.to_pylist()] or [0], dtype=np.uint64)
        codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        hashes = mix64(hashes ^ digests[codes])
    return hashes, is_missing


def followed_relationships(schema: DatasetSchema) -> dict[str, Relationship]:
    """Return by child the relationship whose parents its rows follow; see `Split.masks`."""
    followed: dict[str, Relationship] = {}
    for name, table in schema.tables.items():
        if table.subject or table.role == "reference":
            continue
        candidates = sorted(
            _parents(schema, name), key=lambda one: not _leads_to_subject(schema, one.parent, {name})
        )
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
    """Return a table and those that it follows, up to its root."""
    found = [name]
    while found[-1] in followed:
        found.append(followed[found[-1]].parent)
    return found


def _parents_first(schema: DatasetSchema, followed: Mapping[str, Relationship]) -> list[str]:
    """Return the names of the tables whose rows can be held out, each after the one that it follows."""
    names = [name for name, table in schema.tables.items() if table.role != "reference"]
    return sorted(names, key=lambda name: len(_ancestors(name, followed)))


def _own_units(source: Any, subject: Sequence[str]) -> Hashes:
    units = row_units(source.n_rows)
    if not subject:
        return units
    hashes, is_missing = hash_values(read_source(source, list(subject)))
    return np.where(is_missing, units, hashes)


def _follow(relationship: Relationship, data: Dataset, own: Hashes, parents: Hashes) -> Hashes:
    """Return for each child the unit of its parent, or its own where there is none."""
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
