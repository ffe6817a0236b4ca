from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from understudy.errors import InvalidInput, Unavailable
from understudy.logs import bound, configure_logs, get_logger

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Configure logs as for a process, and return a function that returns the logged events."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("info", "json")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_both_logging_libraries_produce_the_same_format(lines: Lines) -> None:
    with bound(request_id="req_1"):
        get_logger("structlog").info("job_started", attempt=1)
        logging.getLogger("standard").info("served %s", "it", extra={"status": 200})

    event, record = lines()
    assert (event["event"], event["attempt"], event["request_id"]) == ("job_started", 1, "req_1")
    assert (record["event"], record["status"], record["request_id"]) == ("served it", 200, "req_1")
    assert set(event) >= {"timestamp", "level", "logger"} <= set(record)


def test_log_omits_the_message_of_an_unexpected_exception(lines: Lines) -> None:
    try:
        raise ValueError("a value of the data")
    except ValueError:
        get_logger("structlog").exception("failed")
        logging.getLogger("standard").exception("failed")

    for line in lines():
        assert line["error"] == "ValueError"
        assert line["frames"][-1].startswith("test_logs.py")
        assert "a value of the data" not in json.dumps(line)


def test_log_contains_the_detail_of_an_error_of_the_service(lines: Lines) -> None:
    try:
        raise Unavailable("The database does not respond.")
    except Unavailable as error:
        get_logger("structlog").warning("failed", exc_info=error)

    (line,) = lines()
    assert (line["error_code"], line["error_detail"]) == ("unavailable", "The database does not respond.")


def test_log_omits_the_detail_of_an_error_about_data(lines: Lines) -> None:
    try:
        raise InvalidInput("Column 'diagnosis' has 3 values.", code="unknown_column")
    except InvalidInput:
        get_logger("structlog").exception("failed")

    (line,) = lines()
    assert line["error_code"] == "unknown_column"
    assert "diagnosis" not in json.dumps(line)


def test_line_breaks_and_control_characters_do_not_start_a_new_line(lines: Lines) -> None:
    get_logger("structlog").info('one\n{"event": "two"}\x1b[31m', agent="x" * 1_000_000)

    (line,) = lines()
    assert len(line["agent"]) < 3_000


def test_events_below_the_level_are_not_logged(lines: Lines) -> None:
    get_logger("structlog").debug("detail")

    assert lines() == []
