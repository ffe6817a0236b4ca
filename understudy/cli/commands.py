"""The list of commands. The module of a command is imported only when that command runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name

FILES = "Files"
SERVICE = "Service"


@dataclass(frozen=True)
class Command:
    """A command of the console script.

    Parameters
    ----------
    load : str
        Function that runs the command, as ``module:function``.
    summary : str
        First line of the function's docstring, shown in the list of commands.
    """

    name: str
    load: str
    panel: str
    summary: str

    def function(self) -> Callable[..., int | None]:
        """Import the command's module and its dependencies, and return its function."""
        function: Callable[..., int | None] = resolve_name(self.load)
        return function


COMMANDS = (
    Command("fit", "understudy.cli.files:fit", FILES, "Fit a model to a table and write a model file."),
    Command(
        "sample",
        "understudy.cli.files:sample",
        FILES,
        "Sample synthetic rows from a model, optionally under constraints.",
    ),
    Command(
        "impute",
        "understudy.cli.files:impute",
        FILES,
        "Impute the missing values of a table and keep all other values.",
    ),
    Command(
        "evaluate",
        "understudy.cli.reports:evaluate",
        FILES,
        "Compare a synthetic table with the real one: scores, privacy attacks and a verdict.",
    ),
    Command(
        "verify",
        "understudy.cli.reports:verify",
        FILES,
        "Check the signature of an evidence pack and, given the data, recompute its scores.",
    ),
    Command(
        "demo",
        "understudy.cli.demo:demo",
        SERVICE,
        "Run the whole workflow on a real table over HTTP: upload, train, sample, evaluate.",
    ),
    Command(
        "upload",
        "understudy.cli.upload:upload",
        SERVICE,
        "Upload tables to a service and wait until they are ingested. Set UNDERSTUDY_API_KEY to your key.",
    ),
    Command(
        "serve",
        "understudy.cli.service:serve",
        SERVICE,
        "Run the whole service until Ctrl-C: database, broker, API and a worker.",
    ),
    Command(
        "api",
        "understudy.cli.service:api",
        SERVICE,
        "Run the API with the configured database and broker. Options override the environment.",
    ),
    Command(
        "worker",
        "understudy.cli.service:worker",
        SERVICE,
        "Run a worker that uses the configured database and broker.",
    ),
    Command(
        "migrate",
        "understudy.cli.service:migrate",
        SERVICE,
        "Migrate the configured database to the current schema.",
    ),
    Command(
        "doctor",
        "understudy.cli.doctor:doctor",
        SERVICE,
        "Check settings, database, broker, storage, disks, sandbox and key files, and suggest remedies.",
    ),
    Command(
        "create-key",
        "understudy.cli.keys:create_key",
        SERVICE,
        "Create an API key and print it once. Only a digest of the key is stored.",
    ),
    Command(
        "revoke-key",
        "understudy.cli.keys:revoke_key",
        SERVICE,
        "Revoke an API key. Later requests with this key are refused.",
    ),
    Command(
        "dead-letters",
        "understudy.cli.operations:dead_letters",
        SERVICE,
        "List the jobs that failed because of a crash, a bug, insufficient memory or an unavailable service.",
    ),
    Command(
        "requeue",
        "understudy.cli.operations:requeue",
        SERVICE,
        "Queue failed or cancelled jobs again, with the same IDs and parameters.",
    ),
    Command(
        "limit-project",
        "understudy.cli.operations:limit_project",
        SERVICE,
        "Limit the number of running jobs of a project. Running jobs are not interrupted.",
    ),
    Command(
        "check-blobs",
        "understudy.cli.operations:check_blobs",
        SERVICE,
        "Check that the blob of every stored file exists and has the expected size.",
    ),
)
