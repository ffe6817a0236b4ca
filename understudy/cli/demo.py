"""The command `demo`, which runs the whole workflow on a real table in the embedded stack."""

from __future__ import annotations

import csv
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from understudy.cli.results import rows_table, show_scores
from understudy.cli.service import DataDir, Port, load_settings, stack_options
from understudy.cli.terminal import output
from understudy.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from understudy.embedded.background import BackgroundStack
    from understudy.embedded.demo import DemoResult

N_ROWS_SHOWN = 10
# Columns of the flights table that are shown first. The other columns follow if they fit.
COLUMNS_FIRST = (
    "month",
    "day",
    "carrier",
    "origin",
    "dest",
    "dep_delay",
    "arr_delay",
    "air_time",
    "distance",
)


def demo(
    rows: Annotated[
        int | None,
        typer.Option(
            min=100,
            help="Number of rows to use from the start of the table; the same number is sampled. "
            "Default: the whole table, and 100,000 sampled rows.",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the stack running after the demo, until Ctrl-C.")
    ] = False,
    port: Port = None,
    data_dir: DataDir = None,
) -> None:
    """Run the whole workflow on a real table over HTTP: upload, train, sample, evaluate."""
    options = stack_options(host=None, port=port, data_dir=data_dir)
    if find_spec("httpx2") is None:
        raise Unavailable(
            "The packages that the demo needs are not installed. In a clone of the repository, run: "
            "pip install --editable '.[service,embedded,demo]'.",
            code="configuration",
        )
    # Imported here because these modules need packages that the base install lacks.
    from understudy.client.api import Client
    from understudy.embedded.background import BackgroundStack
    from understudy.embedded.demo import run_demo

    # Handle SIGTERM like Ctrl-C, so that the stack is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    console = output()
    console.print(
        "\n[bold]Understudy[/] · synthetic data from all flights that departed New York City in 2013\n"
    )
    narrator = TerminalNarrator(console)
    stack = BackgroundStack(options)
    try:
        with narrator.step("Starting the stack", "Stack") as step:
            stack.start()
            step.done(f"{stack.url} · data in {stack.folder.path}")
        with Client(stack.url, stack.folder.api_key_file.read_text().strip()) as client:
            result = run_demo(client, stack.folder.path / "demo", narrator, n_rows=rows)
        show_result(console, result, time.monotonic() - began)
        show_next_steps(console, stack, result, needs_serve=stack.is_child and not keep)
        if keep:
            with suppress(KeyboardInterrupt):
                stack.wait()
    finally:
        stack.stop()


class TerminalStep:
    """A step of the demo, shown as a progress line while it runs and as a summary line when it ends."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self.detail = ""
        self._bar = bar
        self._task = task

    def progress(
        self, phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None:
        """Show the progress of the step."""
        rows = f" · {rows_done:,} rows" if rows_done else ""
        self._bar.update(self._task, total=1.0, completed=fraction, detail=f"{phase}{rows}")

    def done(self, detail: str) -> None:
        """Store the result for the summary line."""
        self.detail = detail


class TerminalNarrator:
    """Terminal display for the demo's steps."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[TerminalStep]:
        """Show a step while it runs, then its result and duration."""
        columns = (
            TextColumn(" "),
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(30),
            TimeElapsedColumn(),
        )
        is_terminal = self._console.is_terminal
        with Progress(
            *columns,
            TextColumn("[dim]{task.fields[detail]}"),
            console=self._console,
            transient=True,
            disable=not is_terminal,
        ) as bar:
            began = time.monotonic()
            step = TerminalStep(bar, bar.add_task(f"{doing:<18}", total=None, detail=""))
            yield step
        seconds = time.monotonic() - began
        self._console.print(
            f"  [green]✓[/] {done:<10} [dim]{seconds:5.1f} s[/]   {escape(step.detail)}", soft_wrap=True
        )


def show_result(console: Console, result: DemoResult, seconds: float) -> None:
    """Print the scores, some rows, and the paths of all files."""
    console.print("\n[bold]Scores[/]")
    show_scores(console, result.report)
    if result.synthetic:
        _show_rows(console, result.synthetic[0])
    console.print("\n[bold]Files[/]")
    titles = ("Rows", *[""] * len(result.synthetic))
    for title, path in zip(titles, result.synthetic, strict=False):
        console.print(f"  {title:<8} {path}", soft_wrap=True, markup=False)
    console.print(f"  {'Report':<8} {result.report_html}", soft_wrap=True, markup=False)
    console.print(f"\n[green]Done in {seconds:.0f} s.[/]")


def _show_rows(console: Console, synthetic_csv: Path) -> None:
    console.print(f"\n[bold]{N_ROWS_SHOWN} synthetic rows[/]")
    with synthetic_csv.open(newline="", encoding="utf-8") as file:
        header, *rows = islice(csv.reader(file), N_ROWS_SHOWN + 1)
    order = sorted(range(len(header)), key=lambda i: _rank(header[i]))
    reordered = [[cells[i] for i in order] for cells in (header, *rows)]
    console.print(rows_table(reordered[0], reordered[1:], width=console.width))


def _rank(column: str) -> int:
    return COLUMNS_FIRST.index(column) if column in COLUMNS_FIRST else len(COLUMNS_FIRST)


def show_next_steps(
    console: Console, stack: BackgroundStack, result: DemoResult, *, needs_serve: bool
) -> None:
    """Print shell commands that can be pasted unchanged."""
    if needs_serve:
        console.print(
            "\n[bold]Next steps[/] · The stack is stopped; its data is kept. In one terminal, run:\n"
        )
        console.print(f"  {serve_command(stack)}", soft_wrap=True, markup=False)
        console.print("\nand in another:\n")
    else:
        console.print("\n[bold]Next steps[/] · The stack is running. In another terminal, run:\n")
    for line in request_lines(stack, result.model_id):
        console.print(f"  {line}", soft_wrap=True, markup=False)
    console.print()


def serve_command(stack: BackgroundStack) -> str:
    """Return the command that starts the same stack again."""
    settings = load_settings()
    options = []
    if stack.folder.path != settings.data_dir.absolute():
        options += ["--data-dir", str(stack.folder.path)]
    if stack.url != f"http://{settings.host}:{settings.port}":
        options += ["--port", stack.url.rpartition(":")[2]]
    # `make` sets this variable for the programs that it starts.
    if not options and "MAKELEVEL" in os.environ:
        return "make serve"
    return shlex.join([sys.argv[0], "serve", *options])


def request_lines(stack: BackgroundStack, model_id: str) -> list[str]:
    """Return shell lines that list the models, sample from one, and upload a table."""
    sample = json.dumps({"kind": "sample", "model_id": model_id, "n_rows": 1000})
    return [
        f"KEY=$(cat {shlex.quote(str(stack.folder.api_key_file))})",
        f"API={stack.url}",
        'curl -H "Authorization: Bearer $KEY" $API/v1/models',
        'curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\',
        f"  -d '{sample}' \\",
        "  $API/v1/jobs",
        'curl -H "Authorization: Bearer $KEY" -F file=@yours.csv $API/v1/datasets',
    ]
