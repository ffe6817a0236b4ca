"""The processes, servers, proxies and disks that the soak injects faults into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from tests.faults.api import ApiProcess
from tests.faults.proxy import FaultProxy
from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess
from understudy.embedded.servers import PrivatePostgres, PrivateValkey


@dataclass
class Target:
    """The processes, servers, proxies and disks that the faults hit."""

    stack: Stack
    workers: list[WorkerProcess]
    api: ApiProcess
    postgres: PrivatePostgres
    valkey: PrivateValkey
    database_proxy: FaultProxy
    broker_proxy: FaultProxy
    api_proxy: FaultProxy
    api_key: str
    _: KW_ONLY
    # The path of the clients' download requests.
    download_path: str = "/v1/datasets"
    # Returns the number of successful responses that clients have received.
    count_answers: Callable[[], int] = lambda: 0
    # Small disks that can be filled. Empty if this user is not allowed to mount disks.
    disks: list[Path] = field(default_factory=list)
