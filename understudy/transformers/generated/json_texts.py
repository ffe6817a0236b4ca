"""A generator of JSON objects and arrays that have the same keys and kinds of values as a column."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.kernels import hashing
from understudy.tables.schema import LOCALES, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, RowStream, Subjects
from understudy.transformers.generated.filler import N_QUANTILES, words_of
from understudy.transformers.generated.texts import choose, join, join_runs, pc
from understudy.transformers.generated.transformer import N_ROWS_ANY

# Maximum number of values that are used to learn the structure.
_N_VALUES_MAX = 5_000
_N_ITEMS_MAX = 64
_N_NODES_MAX = 500
_DEPTH_MAX = 8
_N_LEVELS_MAX = 200
# Maximum absolute value of a number.
_NUMBER_MAX = 1e15
# Distance between the random streams of two nodes.
_STREAM_STEP = 1 << 53
_IDENTIFYING = re.compile(r"@|(?:[0-9].*){6}")
_OBJECT_OR_ARRAY = r"^\s*(?s:\{.*\}|\[.*\])\s*$"

Float64s = npt.NDArray[np.float64]
Share = float
NodeType = Literal["object", "array", "string", "number", "boolean", "null"]


class Node(BaseModel):
    """The values at one position in the JSON texts. At least k rows or subjects share each detail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: NodeType
    null_share: Share = Field(ge=0, le=1, default=0)
    members: tuple[tuple[str, Share, Node], ...] = ()
    item: Node | None = None
    quantiles: tuple[float, ...] = ()
    decimals: int = Field(ge=0, le=12, default=0)
    levels: tuple[tuple[str, Share], ...] = ()


@dataclass(frozen=True)
class JsonTexts:
    """A generator of JSON texts. Each key and its value are sampled independently of all other keys.

    Parameters
    ----------
    locale : str
        Locale of the words that replace rare strings.
    """

    locale: str
    root: Node

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a JSON text for each row."""
        return _Writer(stream, self.locale).texts(self.root, stream.rows)

    def describe(self) -> Json:
        """Return the form of the texts for the model card."""
        return {"form": "json"}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned structure of the texts, and the locale."""
        return {"form": "json", "locale": self.locale, "structure": self.root.model_dump_json()}, {}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        try:
            root = Node.model_validate_json(reader.text("structure"))
        except ValidationError:
            root = None
        require(root is not None and _is_usable(root), "the structure of JSON texts is invalid")
        assert root is not None
        return cls(reader.choice("locale", LOCALES), root)


def _is_usable(node: Node, depth: int = 0) -> bool:
    if depth > _DEPTH_MAX or (node.type == "array") != (node.item is not None):
        return False
    if node.type in ("array", "number") and len(node.quantiles) != N_QUANTILES:
        return False
    if node.type == "boolean" and not node.levels:
        return False
    if not all(np.isfinite(node.quantiles)) or any(not 0 <= share <= 1 for _, share in node.levels):
        return False
    below = [member for _, _, member in node.members] + ([node.item] if node.item else [])
    return all(_is_usable(member, depth + 1) for member in below)


class _Writer:
    """A writer of JSON values for many rows at once. Each node has its own random numbers."""

    def __init__(self, stream: RowStream, locale: str) -> None:
        self._stream = stream
        self._locale = locale
        self._n_draws = 0

    def texts(self, node: Node, rows: npt.NDArray[np.uint64]) -> ArrowArray:
        """Return the JSON text of a value for each row."""
        texts = self._present(node, rows)
        if node.null_share == 0:
            return texts
        return choose(self._random(rows) < node.null_share, pa.scalar("null", pa.large_string()), texts)

    def _present(self, node: Node, rows: npt.NDArray[np.uint64]) -> ArrowArray:
        if node.type == "object":
            return self._object(node, rows)
        if node.type == "array":
            return self._array(node, rows)
        if node.type == "number":
            return self._numbers(node, rows)
        if node.type == "null":
            return _repeated("null", len(rows))
        return self._levels(node, rows)

    def _object(self, node: Node, rows: npt.NDArray[np.uint64]) -> ArrowArray:
        parts: list[ArrowArray | str] = []
        empty = pa.scalar("", pa.large_string())
        for key, share, member in node.members:
            part = join([f", {json.dumps(key, ensure_ascii=False)}: ", self.texts(member, rows)], "")
            parts.append(part if share == 1 else choose(self._random(rows) < share, part, empty))
        if not parts:
            return _repeated("{}", len(rows))
        members = pc.replace_substring_regex(join(parts, ""), pattern="^, ", replacement="")
        return join(["{", members, "}"], "")

    def _array(self, node: Node, rows: npt.NDArray[np.uint64]) -> ArrowArray:
        assert node.item is not None
        n_items = np.rint(self._drawn(node.quantiles, rows)).astype(np.int64).clip(0, _N_ITEMS_MAX)
        starts = np.concatenate(([0], np.cumsum(n_items)))
        place = np.arange(starts[-1]) - np.repeat(starts[:-1], n_items)
        numbers = np.repeat(rows, n_items) * np.uint64(_N_ITEMS_MAX) + place.astype(np.uint64)
        return join(["[", join_runs(self.texts(node.item, numbers), starts, ", "), "]"], "")

    def _numbers(self, node: Node, rows: npt.NDArray[np.uint64]) -> ArrowArray:
        drawn = self._drawn(node.quantiles, rows)
        if node.decimals == 0:
            return pa.array(np.rint(drawn).astype(np.int64)).cast(pa.large_string())
        texts: Any = pa.array(np.round(drawn, node.decimals)).cast(pa.large_string())
        # The number is written as 1.0 instead of 1, as in the table.
        is_whole = pc.match_substring_regex(texts, "^-?[0-9]+$")
        return choose(is_whole.to_numpy(zero_copy_only=False), join([texts, ".0"], ""), texts)

    def _levels(self, node: Node, rows: npt.NDArray[np.uint64]) -> ArrowArray:
        """Return common strings or booleans in their proportions, and random words in place of all others."""
        bounds = np.cumsum([share for _, share in node.levels])
        place = np.searchsorted(bounds, self._random(rows), side="right")
        words = words_of(self._locale)
        word = len(node.levels) + (self._random(rows) * len(words)).astype(np.int64)
        texts = pa.array([text for text, _ in node.levels], pa.large_string())
        choices = pa.concat_arrays([texts, join(['"', words, '"'], "")])
        chosen_place = np.where(place < len(node.levels), place, word)
        if node.type == "boolean":
            chosen_place = place.clip(0, len(node.levels) - 1)
        chosen: ArrowArray = choices.take(pa.array(chosen_place, pa.int64()))
        return chosen

    def _drawn(self, quantiles: tuple[float, ...], rows: npt.NDArray[np.uint64]) -> Float64s:
        return np.interp(self._random(rows) * (N_QUANTILES - 1), np.arange(N_QUANTILES), quantiles)

    def _random(self, rows: npt.NDArray[np.uint64]) -> Float64s:
        self._n_draws += 1
        words = np.empty(len(rows), np.uint64)
        number = (self._stream.stream + self._n_draws * _STREAM_STEP) % 2**63
        hashing.hash_rows(*RowStream(self._stream.seed, number, rows).key(), words)
        return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _repeated(text: str, n: int) -> ArrowArray:
    repeated: ArrowArray = pa.repeat(pa.scalar(text, pa.large_string()), n)
    return repeated


def fit_json(texts: ArrowArray, locale: str, subjects: Subjects | None = None) -> JsonTexts | None:
    """Return a generator for a column of JSON objects or arrays, or None for other texts.

    Parameters
    ----------
    texts : array of shape (n_texts,)
        Texts of a column.
    subjects : array of shape (n_texts,), optional
        Subject of each text. If given, at least k subjects instead of k rows must share a key or a value.
    """
    if len(texts) < MIN_SUPPORT or not pc.all(pc.match_substring_regex(texts, _OBJECT_OR_ARRAY)).as_py():
        return None
    step = max(1, len(texts) // _N_VALUES_MAX)
    sample: Any = texts.take(pa.array(np.arange(0, len(texts), step), pa.int64()))
    try:
        values = [json.loads(text) for text in sample.to_pylist()]
    except (ValueError, RecursionError):
        return None
    owners = range(len(values)) if subjects is None else subjects[::step].tolist()
    root = _Learner().node(list(zip(owners, values, strict=True)))
    return None if root is None else JsonTexts(locale, root)


# Values with the numbers of their rows, or of their subjects if a subject is declared.
Placed = list[tuple[int, Any]]


class _Learner:
    """A learner that derives nodes from values and the numbers of their rows or subjects."""

    def __init__(self) -> None:
        self._n_nodes = 0

    def node(self, values: Placed, depth: int = 0) -> Node | None:
        """Return the node for values, or None if fewer than k rows or subjects have the same type."""
        by_type: dict[NodeType, Placed] = defaultdict(list)
        for row, value in values:
            by_type[_type_of(value)].append((row, value))
        nulls = by_type.pop("null", [])
        self._n_nodes += 1
        type_ = max(by_type, key=lambda candidate: len(by_type[candidate]), default=None)
        if depth > _DEPTH_MAX - 1 or self._n_nodes > _N_NODES_MAX or type_ is None:
            return Node(type="null") if _n_rows(values) >= MIN_SUPPORT else None
        present = by_type[type_]
        if _n_rows(present) < MIN_SUPPORT:
            return None
        null_share = len(nulls) / len(values) if _n_rows(nulls) >= MIN_SUPPORT else 0.0
        return self._of_type(type_, present, depth).model_copy(update={"null_share": null_share})

    def _of_type(self, type_: NodeType, present: Placed, depth: int) -> Node:
        if type_ == "object":
            return self._object(present, depth)
        if type_ == "array":
            items = [(row, item) for row, array in present for item in array]
            item = self.node(items, depth + 1) or Node(type="string")
            lengths = [(row, len(array)) for row, array in present]
            return Node(type="array", item=item, quantiles=_quantiles(lengths))
        if type_ == "number":
            decimals = max(_decimals(number) for _, number in present)
            return Node(type="number", quantiles=_quantiles(present), decimals=decimals)
        levels = _levels(present)
        if type_ == "boolean" and not levels:
            levels = (("true", 0.5), ("false", 0.5))
        return Node(type=type_, levels=levels)

    def _object(self, present: Placed, depth: int) -> Node:
        by_key: dict[str, Placed] = {}
        for row, value in present:
            for key, member in value.items():
                by_key.setdefault(key, []).append((row, member))
        members = []
        for key, values in by_key.items():
            is_shown = _n_rows(values) >= MIN_SUPPORT and not may_identify(key)
            member = self.node(values, depth + 1) if is_shown else None
            if member is not None:
                members.append((key, len(values) / len(present), member))
        return Node(type="object", members=tuple(members))


def _n_rows(values: Placed) -> int:
    return len({row for row, _ in values})


def _type_of(value: object) -> NodeType:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "number"


def _quantiles(numbers: Placed) -> tuple[float, ...]:
    """Return quantiles. Each quantile is the mean of the neighboring numbers of k rows or subjects."""
    ordered = sorted((_clipped(number), row) for row, number in numbers)
    last = len(ordered) - _n_neighbors(row for _, row in reversed(ordered))
    means = []
    for start in np.rint(np.linspace(0, last, N_QUANTILES)).astype(np.int64).tolist():
        n = _n_neighbors(ordered[i][1] for i in range(start, len(ordered)))
        own = {row: number for number, row in reversed(ordered[start : start + n])}
        means.append(math.fsum(own.values()) / len(own))
    return tuple(means)


def _n_neighbors(rows: Iterable[int]) -> int:
    """Return the minimum number of leading entries that belong to k different rows or subjects."""
    own: set[int] = set()
    for n, row in enumerate(rows, start=1):
        own.add(row)
        if len(own) == MIN_SUPPORT:
            return n
    raise AssertionError("fewer than k rows have numbers")


def _clipped(number: float) -> float:
    """Return a number within the supported range. Integers may be too large for `float`."""
    is_nan = isinstance(number, float) and math.isnan(number)
    return 0.0 if is_nan else float(max(-_NUMBER_MAX, min(_NUMBER_MAX, number)))


def _decimals(number: float) -> int:
    return 0 if isinstance(number, int) else min(12, len(repr(number).partition(".")[2].partition("e")[0]))


def _levels(present: Placed) -> tuple[tuple[str, Share], ...]:
    """Return the values that at least k rows or subjects share, as JSON texts, and the share of each value.

    If most values are not shared, the result is empty, because the values cannot be learned as categories.
    """
    n_rows = Counter(value for _, value in {(row, value) for row, value in present})
    counts = Counter(value for _, value in present)
    common = [value for value, _ in counts.most_common(_N_LEVELS_MAX) if n_rows[value] >= MIN_SUPPORT]
    common = [value for value in common if isinstance(value, bool) or not may_identify(value)]
    if 2 * sum(counts[value] for value in common) < len(present):
        return ()
    return tuple((json.dumps(value, ensure_ascii=False), counts[value] / len(present)) for value in common)


def may_identify(text: str) -> bool:
    """Return whether a text may identify a person, such as an e-mail address or a text with many digits."""
    return _IDENTIFYING.search(text) is not None
