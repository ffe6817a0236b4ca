from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from understudy.errors import NotFound
from understudy.logs import bound, configure_logs, get_logger

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Configure logs as a process does; return a function that takes what was logged."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("info", "json")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_both_ways_to_log_give_one_format(lines: Lines) -> None:
    with bound(request_id="req_1"):
        get_logger("ours").info("job_started", attempt=1)
        logging.getLogger("theirs").info("served %s", "it", extra={"status": 200})

    ours, theirs = lines()
    assert (ours["event"], ours["attempt"], ours["request_id"]) == ("job_started", 1, "req_1")
    assert (theirs["event"], theirs["status"], theirs["request_id"]) == ("served it", 200, "req_1")
    assert set(ours) >= {"timestamp", "level", "logger"} <= set(theirs)


def test_message_of_a_foreign_exception_is_left_out(lines: Lines) -> None:
    try:
        raise ValueError("a value of the data")
    except ValueError:
        get_logger("ours").exception("failed")
        logging.getLogger("theirs").exception("failed")

    for line in lines():
        assert line["error"] == "ValueError"
        assert line["frames"][-1].startswith("test_logs.py")
        assert "a value of the data" not in json.dumps(line)


def test_detail_of_our_own_exception_is_kept(lines: Lines) -> None:
    try:
        raise NotFound("There is no such job.")
    except NotFound as error:
        get_logger("ours").warning("failed", exc_info=error)

    (line,) = lines()
    assert (line["error_code"], line["error_detail"]) == ("not_found", "There is no such job.")


def test_line_breaks_and_controls_cannot_make_a_second_line(lines: Lines) -> None:
    get_logger("ours").info('one\n{"event": "two"}\x1b[31m', agent="x" * 1_000_000)

    (line,) = lines()
    assert len(line["agent"]) < 3_000


def test_level_is_kept(lines: Lines) -> None:
    get_logger("ours").debug("too much")

    assert lines() == []
