"""The commands, one line each; a command's module is loaded when the command runs, not to list the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name

FILES = "On files"
SERVICE = "The service"


@dataclass(frozen=True)
class Command:
    """One command.

    Parameters
    ----------
    load : str
        ``module:function``.
    summary : str
        The first line of the function's docstring, for the list of commands.
    """

    name: str
    load: str
    panel: str
    summary: str

    def function(self) -> Callable[..., int | None]:
        """Return the function of the command; imports its module, and with it what the command needs."""
        function: Callable[..., int | None] = resolve_name(self.load)
        return function


COMMANDS = (
    Command("fit", "understudy.cli.files:fit", FILES, "Learn a table and write a model file."),
    Command(
        "sample",
        "understudy.cli.files:sample",
        FILES,
        "Draw synthetic rows from a model: any, or such as you ask for.",
    ),
    Command(
        "impute",
        "understudy.cli.files:impute",
        FILES,
        "Complete a table: draw its missing values, and leave all others as they are.",
    ),
    Command(
        "evaluate",
        "understudy.cli.reports:evaluate",
        FILES,
        "Compare a synthetic with the real table: scores on a scale, attacks, and a verdict.",
    ),
    Command(
        "verify",
        "understudy.cli.reports:verify",
        FILES,
        "Check the signature of an evidence pack; given the data, compute its numbers again.",
    ),
    Command(
        "demo",
        "understudy.cli.demo:demo",
        SERVICE,
        "Run the main job on a real table: upload, train, sample, evaluate, all over HTTP.",
    ),
    Command(
        "upload",
        "understudy.cli.upload:upload",
        SERVICE,
        "Upload tables to a service, and wait until they are read. The key is read from UNDERSTUDY_API_KEY.",
    ),
    Command(
        "serve",
        "understudy.cli.service:serve",
        SERVICE,
        "Run everything: database, broker, API and a worker, until Ctrl-C.",
    ),
    Command(
        "worker",
        "understudy.cli.service:worker",
        SERVICE,
        "Run a worker on the database and broker that the settings name.",
    ),
    Command(
        "migrate",
        "understudy.cli.service:migrate",
        SERVICE,
        "Bring the database that the settings name up to date.",
    ),
    Command(
        "create-key",
        "understudy.cli.keys:create_key",
        SERVICE,
        "Make an API key and print it, once: only a digest is kept.",
    ),
    Command(
        "revoke-key",
        "understudy.cli.keys:revoke_key",
        SERVICE,
        "Let an API key be valid no longer, from the next request on.",
    ),
)
