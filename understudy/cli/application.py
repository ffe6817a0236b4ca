"""Assembly of the commands, and translation of errors into one line, a JSON problem and an exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

import understudy
from understudy.cli.commands import COMMANDS
from understudy.errors import (
    CODES,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnderstudyError,
)

# Exit statuses by class of error, as documented in docs/reference/cli.md. The first matching class determines
# the status.
EXIT_STATUS: tuple[tuple[type[UnderstudyError], int], ...] = (
    (InvalidInput, 2),
    (NotFound, 3),
    (Conflict, 4),
    (Unavailable, 5),
    (TooManyRequests, 5),
    (Unauthenticated, 2),
    (Forbidden, 2),
    (UnderstudyError, 1),
)
UNEXPECTED = 1
USAGE = 2
NOT_CONFIGURED = 5
INTERRUPTED = 130


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"understudy {understudy.__version__}\n")
        raise typer.Exit


COMMAND_NAMES = frozenset(command.name for command in COMMANDS)
HELP = "Fit a model to a table, sample synthetic rows, and measure their quality and privacy."


def build(command_name: str | None = None) -> typer.Typer:
    """Return the application with a list of all commands, but import only the module of `command_name`."""
    application = typer.Typer(name="understudy", help=HELP, add_completion=False, rich_markup_mode="rich")
    application.callback()(_options)
    for command in COMMANDS:
        if command.name == command_name:
            application.command(command.name, rich_help_panel=command.panel)(command.function())
        else:
            application.command(command.name, rich_help_panel=command.panel, help=command.summary)(_listed)
    return application


def _listed() -> None:
    """Do nothing. This function replaces the functions of commands that are listed but not run."""


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status. Each error is written to stderr in one line."""
    wants_json = "--json" in arguments
    try:
        command = next((argument for argument in arguments if not argument.startswith("-")), None)
        status = build(command)(
            args=list(arguments) or ["--help"], prog_name="understudy", standalone_mode=False
        )
    except UnderstudyError as error:
        _report(error.code, error.detail, wants_json=wants_json)
        return exit_status(error)
    except TyperException as error:
        _report("invalid_parameters", _with_remedy(error.format_message(), command), wants_json=wants_json)
        return USAGE
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    # This function is the outermost frame of the process. It prints one line, or the traceback with
    # --traceback.
    except Exception as error:
        if "--traceback" in arguments:
            raise
        detail = f"{type(error).__name__}: {error} (run understudy --traceback … to see the traceback)"
        _report("internal_error", detail, wants_json=wants_json)
        return UNEXPECTED
    return status if isinstance(status, int) else 0


def exit_status(error: UnderstudyError) -> int:
    """Return the exit status for the class of an error. An invalid setting has a separate status."""
    if error.code == "configuration":
        return NOT_CONFIGURED
    return next(status for class_, status in EXIT_STATUS if isinstance(error, class_))


def _with_remedy(message: str, command: str | None) -> str:
    if command not in COMMAND_NAMES:
        return f"{message.rstrip('.')}. Run understudy --help to list the commands."
    if "unexpected extra argument" not in message:
        return f"{message.rstrip('.')}. See understudy {command} --help."
    return (
        f"{message.rstrip('.')}. The command {command} accepts fewer files: run it once for each file, "
        f"or see understudy {command} --help."
    )


def _report(code: str, detail: str, *, wants_json: bool) -> None:
    problem = json.dumps({"code": code, "title": CODES[code], "detail": detail}, ensure_ascii=False)
    sys.stderr.write(f"{problem if wants_json else f'error: {detail}'}\n")


def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit."),
    ] = False,
    _traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the traceback of an unexpected error.")
    ] = False,
) -> None: ...
