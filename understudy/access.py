"""The access rules: who may view, train on, evaluate or download which datasets.

Routes apply these rules through `understudy.services.access`. Job kinds apply them when a job is submitted
and again when it starts because the dataset may have changed in the meantime. Routes and job kinds both need
this module, so it is a separate layer.
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

# `see` covers the schema, the protected profile and the list of skipped rows. `see_values` and `download` are
# separate purposes because they disclose real values. `evaluate` covers scoring the rows, and scoring other
# rows against them.
Purpose = Literal["see", "see_values", "download", "learn", "evaluate"]

ORIGINS_OF_REAL_VALUES = ("upload", "imputation")

# The scopes within a project. `read_real` also allows reading the real values of uploaded and imputed tables.
# `admin` implies the others because a key with `admin` could create a key with any of them.
PROJECT_SCOPES = ("read", "read_real", "write", "admin")


@dataclass(frozen=True)
class Rule:
    """The conditions of a purpose, apart from a ready dataset in the principal's project."""

    needs_read_real: bool
    allows_quarantined: bool


RULES: Mapping[Purpose, Rule] = {
    "see": Rule(needs_read_real=False, allows_quarantined=True),
    "see_values": Rule(needs_read_real=True, allows_quarantined=True),
    "download": Rule(needs_read_real=True, allows_quarantined=False),
    # A model that is trained on a quarantined sample would disclose rows of the sample.
    "learn": Rule(needs_read_real=False, allows_quarantined=False),
    # A sample can leave quarantine only with a report.
    "evaluate": Rule(needs_read_real=False, allows_quarantined=True),
}


class Principal(Protocol):
    """The project that opens a dataset, and the scopes of the API key."""

    @property
    def project_id(self) -> UUID: ...
    @property
    def scopes(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class JobPrincipal:
    """A job as a principal.

    A job has the access of its project but no scopes, so no job discloses real values.
    """

    project_id: UUID
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TableReference:
    """A reference to a table in a request.

    Parameters
    ----------
    table : str, optional
        The name of the table. Required unless the dataset has only one table.
    pointer : str, optional
        JSON Pointer to the table's name in the request body, for the error.
    is_hint : bool
        Whether another name is accepted if the dataset has only one table.
    """

    dataset_id: UUID
    table: str | None = None
    pointer: str | None = None
    is_hint: bool = False


def open_dataset(session: Session, principal: Principal, dataset_id: UUID, purpose: Purpose) -> Dataset:
    """Return a dataset if it may be used for a purpose.

    Raises
    ------
    NotFound
        If the principal's project has no such dataset.
    Forbidden
        If the dataset contains real values that the principal may not read.
    Conflict
        If the dataset is not ready or is in quarantine (`not_ready`, `quarantined`).
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
    """Return a table of a dataset that the principal may use for the given purpose.

    Raises
    ------
    NotFound, Forbidden, Conflict
        Under the same conditions as `open_dataset`.
    InvalidInput
        Under the same conditions as `dataset_tables.choose`.
    """
    dataset = open_dataset(session, principal, reference.dataset_id, purpose)
    choose = dataset_tables.choose_matching if reference.is_hint else dataset_tables.choose
    return choose(session, dataset, reference.table, pointer=reference.pointer)


def check_scope(principal: Principal, scope: str) -> None:
    """Raise `Forbidden` if the principal lacks a scope. The scope `admin` implies all scopes of a project."""
    is_implied = "admin" in principal.scopes and scope in PROJECT_SCOPES
    if scope not in principal.scopes and not is_implied:
        raise Forbidden(f"This API key does not have the scope {scope!r}. Use a key with this scope.")


def _check_ready(dataset: Dataset) -> None:
    text = ids.to_text("dataset", dataset.id)
    if dataset.state == "pending":
        raise Conflict(
            f"Dataset {text} is still being read."
            " Wait until its job has ended: send GET /v1/jobs/{job_id} with the dataset's `job_id` and the"
            " header `Prefer: wait=60`.",
            code="not_ready",
        )
    if dataset.state != "ready":
        raise Conflict(
            f"Dataset {text} could not be read. Correct the problem that the `error` field of the dataset "
            f"describes, and upload the file again.",
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
