"""Tests for periodic tasks that only one worker performs at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from understudy.resources import Resources
from understudy.services import maintenance
from understudy.services.maintenance import sweep_in_turn
from understudy.services.turns import take_turn
from understudy.storage import LocalStore

HOUR = timedelta(hours=1)


def test_second_worker_cannot_take_a_turn_at_the_same_time(resources: Resources) -> None:
    with take_turn(resources, "task") as first, take_turn(resources, "task") as second:
        assert first is not None
        assert second is None
    with take_turn(resources, "task") as third, take_turn(resources, "other") as other:
        assert third is not None
        assert other is not None


def test_completed_task_is_not_repeated_before_its_interval_has_passed(resources: Resources) -> None:
    with take_turn(resources, "task", every=HOUR) as turn:
        assert turn is not None
    with take_turn(resources, "task", every=HOUR) as turn:
        assert turn is None
    with take_turn(resources, "task", every=timedelta(0)) as turn:
        assert turn is not None


def test_failed_task_resumes_at_its_last_position(resources: Resources) -> None:
    def fail() -> None:
        with take_turn(resources, "task", every=HOUR) as turn:
            assert turn is not None
            assert turn.keep("p/3")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with take_turn(resources, "task", every=HOUR) as turn:
        assert turn is not None
        assert turn.position == "p/3"
    with take_turn(resources, "task") as turn:
        assert turn is not None
        assert turn.position == ""


def test_worker_that_was_silent_for_too_long_loses_its_turn(resources: Resources) -> None:
    with take_turn(resources, "task") as frozen:
        assert frozen is not None
        with resources.sessions.begin() as session:
            session.execute(text("update turns set held_until = clock_timestamp() - interval '1 s'"))
        with take_turn(resources, "task") as successor:
            assert successor is not None
            assert not frozen.keep("p/1")
            assert successor.keep("p/2")


def test_one_worker_lists_the_keys_and_a_failed_listing_resumes_after_its_last_completed_page(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    for number in range(5):
        path = tmp_path / "blob"
        path.write_bytes(b"")
        resources.store.put_file(f"p/other/{number}", path)
    listed: list[str] = []
    list_keys = LocalStore.keys

    def keys(store: LocalStore, prefix: str, *, after: str = "") -> Iterator[str]:
        for key in list_keys(store, prefix, after=after):
            listed.append(key)
            if len(listed) == 4:
                raise RuntimeError
            yield key

    monkeypatch.setattr(LocalStore, "keys", keys)
    with pytest.raises(RuntimeError):
        sweep_in_turn(resources, every=HOUR)
    assert listed == ["p/other/0", "p/other/1", "p/other/2", "p/other/3"]

    sweep_in_turn(resources, every=HOUR)
    assert listed[4:] == ["p/other/2", "p/other/3", "p/other/4"]
    sweep_in_turn(resources, every=HOUR)
    assert len(listed) == 7
