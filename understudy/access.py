"""The access policy: which datasets may be seen, learned from, evaluated or downloaded, and by whom.

Routes ask it through `understudy.services.access`. Job kinds ask it when a job is submitted and again when it
begins, since the dataset may have changed in between. It is a layer of its own because both need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import dataset_tables, datasets
from understudy.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from understudy.db.dataset_tables import Table
    from understudy.db.orm import Dataset

# see: schema, protected profile, skipped rows. evaluate: score its rows or score others against them.
# The two others are finer than "see" because they give real values away, and a download gives all of them.
Purpose = Literal["see", "see_values", "download", "learn", "evaluate"]

ORIGINS_OF_REAL_VALUES = ("upload", "imputation")


@dataclass(frozen=True)
class Rule:
    """The conditions of a purpose. Readiness and the principal's project are conditions of all."""

    needs_read_real: bool
    allows_quarantined: bool


RULES: Mapping[Purpose, Rule] = {
    "see": Rule(needs_read_real=False, allows_quarantined=True),
    "see_values": Rule(needs_read_real=True, allows_quarantined=True),
    "download": Rule(needs_read_real=True, allows_quarantined=False),
    # A model of a quarantined sample would disclose its rows.
    "learn": Rule(needs_read_real=False, allows_quarantined=False),
    # A report is the way out of quarantine.
    "evaluate": Rule(needs_read_real=False, allows_quarantined=True),
}


class Principal(Protocol):
    """The project on whose behalf a dataset is opened, and the scopes of the key that asks."""

    @property
    def project_id(self) -> UUID: ...
    @property
    def scopes(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class JobPrincipal:
    """A job: it acts for its project and has no scopes, so that no job gives real values to a caller."""

    project_id: UUID
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TableReference:
    """A table as a request names it.

    Parameters
    ----------
    table : str, optional
        Required unless the dataset has only one table.
    pointer : str, optional
        The place of the table's name in the request body, for the error.
    is_hint : bool
        Whether another name than that of the only table is good enough.
    """

    dataset_id: UUID
    table: str | None = None
    pointer: str | None = None
    is_hint: bool = False


def open_dataset(session: Session, principal: Principal, dataset_id: UUID, purpose: Purpose) -> Dataset:
    """Return a dataset that may be used for a purpose.

    Raises
    ------
    NotFound
        If the principal's project has no such dataset.
    Forbidden
        If it holds real values that the principal may not read.
    Conflict
        With the code `not_ready` or `quarantined`.
    """
    rule = RULES[purpose]
    dataset = datasets.get(session, principal.project_id, dataset_id)
    if rule.needs_read_real and dataset.origin in ORIGINS_OF_REAL_VALUES:
        check_scope(principal, "read_real")
    _check_ready(dataset)
    if not rule.allows_quarantined:
        _check_not_quarantined(dataset)
    return dataset


def open_table(session: Session, principal: Principal, reference: TableReference, purpose: Purpose) -> Table:
    """Return a table of a dataset that may be used for a purpose.

    Raises
    ------
    NotFound, Forbidden, Conflict
        As `open_dataset`.
    InvalidInput
        As `dataset_tables.choose`.
    """
    dataset = open_dataset(session, principal, reference.dataset_id, purpose)
    choose = dataset_tables.choose_matching if reference.is_hint else dataset_tables.choose
    return choose(session, dataset, reference.table, pointer=reference.pointer)


def check_scope(principal: Principal, scope: str) -> None:
    """Raise `Forbidden` if the principal's key lacks a scope."""
    if scope not in principal.scopes:
        raise Forbidden(f"This API key has no scope {scope!r}; use one that was made with it.")


def _check_ready(dataset: Dataset) -> None:
    text = ids.to_text("dataset", dataset.id)
    if dataset.state == "pending":
        raise Conflict(
            f"Dataset {text} is still being read."
            " Wait for its job: GET /v1/jobs/{id} with `Prefer: wait=60`.",
            code="not_ready",
        )
    if dataset.state != "ready":
        raise Conflict(
            f"Dataset {text} could not be read. Correct what its `error` names and upload it again.",
            code="not_ready",
        )


def _check_not_quarantined(dataset: Dataset) -> None:
    if dataset.quarantine is not None:
        text = ids.to_text("dataset", dataset.id)
        raise Conflict(
            f"Dataset {text} is in quarantine: {dataset.quarantine['sentence']} An administrator can release "
            f"it (POST /v1/datasets/{text}/release).",
            code="quarantined",
        )
