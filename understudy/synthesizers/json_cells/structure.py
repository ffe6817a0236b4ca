"""The structure of a JSON column, as a tree of nodes with columns for their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# Maximum depth of a structure.
DEPTH_MAX = 8
# Maximum number of columns in a structure, and in one array of the structure.
N_COLUMNS_MAX, N_COLUMNS_ARRAY_MAX = 48, 24
# States of a node in its state column: the value is present, the value is null, or the key is absent.
PRESENT, NULL, ABSENT = "present", "null", "absent"

# `json` is the type of a node with values of several types, or with arrays that are learned as a whole. The
# node's column contains JSON text.
NodeType = Literal["object", "array", "integer", "number", "text", "boolean", "json", "null"]


class Node(BaseModel):
    """The values at one path in the JSON text.

    Parameters
    ----------
    column : str, optional
        Column that contains the values, or the lengths of an array. Objects and nulls have no such column.
    state : str, optional
        Column that contains the state of the node in each row, if some texts do not contain its value.
    is_null : bool
        Whether a missing value of `column` is written as null. Otherwise, its key is omitted.
    decimals : int
        Maximum number of decimal places of a number.
    is_fixed : bool
        Whether all numbers have exactly `decimals` decimal places.
    has_integers : bool
        Whether numbers without a fraction are written without a decimal point.
    members : tuple of (str, Node)
        Keys and values of an object.
    items : tuple of Node
        Items of an array, by position.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: NodeType
    column: str | None = None
    state: str | None = None
    is_null: bool = False
    decimals: int = Field(ge=0, le=12, default=0)
    is_fixed: bool = False
    has_integers: bool = False
    members: tuple[tuple[str, Node], ...] = ()
    items: tuple[Node, ...] = ()

    def below(self) -> Iterator[Node]:
        """Yield the members and the items."""
        yield from (member for _, member in self.members)
        yield from self.items

    def nodes(self) -> Iterator[Node]:
        """Yield this node and all nodes below it."""
        yield self
        for node in self.below():
            yield from node.nodes()

    def columns(self) -> list[str]:
        """Return the columns of this node and of all nodes below it."""
        return [name for node in self.nodes() for name in (node.state, node.column) if name is not None]

    @property
    def depth(self) -> int:
        """The depth of the tree below this node, including the node itself."""
        return 1 + max((node.depth for node in self.below()), default=0)
