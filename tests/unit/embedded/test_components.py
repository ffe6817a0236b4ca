"""Tests for the pauses before a component is restarted."""

from __future__ import annotations

from understudy.embedded.components import Component


class DeadProcess:
    """A process that ends as soon as it is started."""

    def is_running(self) -> bool:
        """Return False."""
        return False

    def ask_to_stop(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


def test_pause_before_a_restart_is_limited() -> None:
    part = Component("Server", DeadProcess(), lambda: None, pause_seconds_max=0.01)
    part.launch()
    pauses = []
    for _ in range(3):
        pauses.append(part.notice_end())
        while not part.restart_when_due():
            pass
    assert pauses == [0, 0.01, 0.01]
