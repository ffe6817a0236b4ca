from __future__ import annotations

import errno
from pathlib import Path

import pytest

from understudy.embedded.processes import LOG_BYTES_MAX, trim_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log above the size limit, with an older log beside it."""
    log = tmp_path / "api.log"
    log.write_bytes(b"x" * (LOG_BYTES_MAX + 1))
    (tmp_path / "api.log.1").write_bytes(b"older")
    return log


def test_large_log_is_moved_to_a_second_file(log: Path) -> None:
    trim_log(log)
    assert log.stat().st_size == 0
    assert (log.parent / "api.log.1").stat().st_size == LOG_BYTES_MAX + 1


def test_maximum_size_of_a_log_can_be_changed(log: Path) -> None:
    trim_log(log, LOG_BYTES_MAX + 1)
    assert log.stat().st_size == LOG_BYTES_MAX + 1
    trim_log(log, LOG_BYTES_MAX)
    assert log.stat().st_size == 0


def test_large_log_is_emptied_even_if_the_disk_is_full(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    trim_log(log)
    assert [(path.name, path.stat().st_size) for path in log.parent.iterdir()] == [("api.log", 0)]
