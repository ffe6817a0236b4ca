"""Tests for upload retries when a service does not respond."""

from pathlib import Path

import pytest

from understudy.client.api import Client
from understudy.client.uploads import Pauses, Sender
from understudy.errors import Unavailable
from understudy.progress import no_progress


def test_retries_are_announced_once_with_the_maximum_total_wait(tmp_path: Path):
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n")
    waits: list[float] = []
    announced: list[float] = []
    pauses = Pauses(sleep=waits.append, tries_max=4, on_first=announced.append)
    with Client("http://127.0.0.1:1", "key") as client, pytest.raises(Unavailable):
        Sender(client, pauses=pauses).send([table], no_progress)
    assert len(waits) == 3
    assert announced == [1 + 2 + 4]
    assert sum(waits) <= announced[0]
