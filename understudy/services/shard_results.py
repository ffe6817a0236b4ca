"""Publish the files from all shards as the result of their job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from understudy.db import leases, shards
from understudy.errors import NotFound
from understudy.job_kinds.base import StoredFile
from understudy.services.failures import successful_end
from understudy.services.job_records import facts_of, kind_of, parameters_of

if TYPE_CHECKING:
    from understudy.db.orm import Artifact, Job


def join_shards(session: Session, job: Job, token: int) -> Job | None:
    """Publish the results of the shards, in the transaction that ends their job.

    If the lease is lost, write nothing and return None.

    Raises
    ------
    NotFound
        If the data of the job was deleted.
    """
    row = leases.hold(session, job.id, token)
    if row is None:
        return None
    if row.erased_at is not None:
        raise NotFound(
            "A dataset or model that the job uses was deleted while the job was running. Create a job that "
            "uses existing datasets and models."
        )
    results = [shard.result or {} for shard in shards.of_job(session, row)]
    # All facts except the numbers of rows describe the whole job.
    facts: dict[str, Any] = {**results[0], "n_rows": _sums([result["n_rows"] for result in results])}
    files = {
        role: combined(shards.adopt_artifacts(session, row, role)) for role in _roles(len(facts["n_rows"]))
    }
    result = kind_of(row).publish(session, facts_of(row), parameters_of(row), files, facts)
    return leases.finish(session, row.id, token, result=result, end=successful_end(None))


def combined(parts: Sequence[Artifact]) -> StoredFile:
    """Describe a file in parts: its first key, its total size, and a digest of the parts' digests."""
    if len(parts) == 1:
        return StoredFile(parts[0].storage_key, parts[0].sha256, parts[0].size_bytes)
    digest = hashlib.sha256(b"".join(part.sha256 for part in parts)).digest()
    return StoredFile(parts[0].storage_key, digest, sum(part.size_bytes for part in parts))


def _roles(n_tables: int) -> list[str]:
    return [f"table_{position}" for position in range(1, n_tables + 1)]


def _sums(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(count[name] for count in counts) for name in counts[0]}
