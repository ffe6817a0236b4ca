"""Closure of implications: columns that known rules determine, and redundant implications."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)
# Columns, and the column that they determine together.
Implication = tuple[tuple[str, ...], str]
Implications = Sequence[Implication]


def determined_by(known: tuple[str, ...], implications: Implications) -> set[str]:
    """Return the closure of the known columns under the implications (Armstrong 1974)."""
    closed = set(known)
    grows = True
    while grows:
        grows = False
        for determinant, dependent in implications:
            if dependent not in closed and closed.issuperset(determinant):
                closed.add(dependent)
                grows = True
    return closed


def drop_implied(candidates: Sequence[tuple[tuple[str, str], str]], given: Implications) -> list[Implication]:
    """Return the candidates that do not follow from the given implications and the other candidates.

    A candidate is dropped only if the given implications and the remaining candidates imply it.
    """
    kept: list[Implication] = []
    for determinant, dependent in candidates:
        if dependent not in determined_by(determinant, [*given, *kept]):
            kept.append((determinant, dependent))
    for candidate in reversed(kept.copy()):
        rest = [other for other in kept if other != candidate]
        if candidate[1] in determined_by(candidate[0], [*given, *rest]):
            kept = rest
    return kept


def reduce_transitively(edges: set[tuple[Node, Node]]) -> set[tuple[Node, Node]]:
    """Return the edges of an acyclic transitive relation that do not follow from two other edges."""
    after: dict[Node, set[Node]] = {}
    for a, b in edges:
        after.setdefault(a, set()).add(b)
    return {(a, b) for a, b in edges if not any(b in after.get(c, ()) for c in after[a] if c != b)}
