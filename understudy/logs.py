"""The log format of all processes: one JSON object per line, from structlog and from the standard library.

An event has a fixed name. Its fields contain IDs, codes, numbers, class names and locations in the code.
Messages of exceptions from other libraries are omitted because a driver or a parser may quote a value of the
data.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from understudy.errors import UnderstudyError

TEXT_LENGTH_MAX = 2_000
FRAMES_MAX = 20
# Errors in the service itself. Their details contain no names from the data.
_SERVICE_CODES = ("configuration", "internal_error", "storage_full", "unavailable")


def configure_logs(level: str = "info", log_format: str = "json") -> None:
    """Send the logs of this process to standard error, as ``json`` or in the readable ``console`` format."""
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_shared()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Caching is disabled because a process may configure its logs again after a fork.
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def bound(**fields: str) -> AbstractContextManager[Any]:
    """Add fields, such as `request_id` and `job_id`, to every event that is logged within the context."""
    return structlog.contextvars.bound_contextvars(**fields)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
        cap_texts,
    ]


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception with its class and frames. For an `UnderstudyError`, add its code.

    The detail is added only for errors in the service itself. Other details may contain column names.
    """
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["frames"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
        ]
        if isinstance(error, UnderstudyError):
            event["error_code"] = error.code
            if error.code in _SERVICE_CODES:
                event["error_detail"] = error.detail
    return event


def cap_texts(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Truncate long texts because log collectors limit the length of a line."""
    for name, value in event.items():
        if isinstance(value, str) and len(value) > TEXT_LENGTH_MAX:
            event[name] = value[:TEXT_LENGTH_MAX] + "…"
    return event
