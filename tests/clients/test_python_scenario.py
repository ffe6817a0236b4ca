"""Scenarios of the Python client with a real API, worker and database, and with faults in transfers."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from understudy_client import AsyncClient, Client, NotFound, Retries, models

from tests.faults.proxy import FaultProxy
from tests.faults.stack import Stack, open_stack
from understudy.services.api_keys import create_api_key

PART_BYTES = 1 << 16
# The pauses are short so that the client continues soon after the restart.
FREQUENT = Retries(tries_max=200, pause_seconds_max=0.5)
N_ROWS = 1_200
# The values are long so that a few rows fill several parts.
CITIES = tuple(f"{name}, {'the capital, ' * 8}" for name in ("Oslo", "Rome", "Lima"))


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start an API and a worker with a new database."""
    with open_stack(postgres, valkey, tmp_path_factory.mktemp("stack")) as stack:
        stack.start_api()
        stack.start_worker()
        yield stack


@pytest.fixture(scope="module")
def key(stack: Stack) -> str:
    """Create an API key."""
    return create_api_key(stack.resources, stack.project_id, "clients")[1]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Write a table that needs several parts."""
    rng = random.Random(1)  # noqa: S311 - a table for a test
    ages = [rng.randint(18, 80) for _ in range(N_ROWS)]
    table = pa.table(
        {
            "age": ages,
            "city": [rng.choice(CITIES) for _ in ages],
            "income": [900.5 + 40 * age + rng.randint(-400, 400) for age in ages],
            "born": [f"{2026 - age}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" for age in ages],
        }
    )
    path = tmp_path / "people.csv"
    pacsv.write_csv(table, path)
    assert path.stat().st_size > 2 * PART_BYTES
    return path


class CutOnce:
    """A progress function that breaks all connections on its first call."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.phases: list[str] = []
        self.n_cut = 0
        self._proxy = proxy

    def __call__(self, progress: models.JobProgress) -> None:
        if not self.phases:
            self.n_cut = self._proxy.cut()
        self.phases.append(progress.phase)


@pytest.mark.stack
def test_scenario_survives_broken_connections_and_a_restart(
    stack: Stack, key: str, people: Path, tmp_path: Path
) -> None:
    proxy = stack.proxy_api()
    with Client(f"http://127.0.0.1:{proxy.port}", key, retries=FREQUENT) as client:
        cut = CutOnce(proxy)
        real = client.datasets.upload(people, part_bytes=PART_BYTES, labels={"team": "ops"}, on_progress=cut)
        assert (real.n_rows, cut.n_cut > 0, cut.phases[0]) == (N_ROWS, True, "sending")

        training = client.jobs.train(
            real.id, synthesizer={"name": "independent"}, seed=1, holdout_fraction=0.3
        )
        restart = threading.Thread(target=_restart, args=(stack,))
        restart.start()
        model_id = training.wait(timeout_seconds=300, on_progress=lambda _: None).model_id
        restart.join()
        assert [event.type for event in training.events()][-1] == "succeeded"

        sampling = client.jobs.sample(model_id, n_rows=500, seed=2)
        proxy.cut()
        synthetic_id = sampling.wait(timeout_seconds=300).dataset_id

        proxy.reset_after_bytes = 2_000
        proxy.cut()
        csv = pd.read_csv(client.datasets.download(synthetic_id, tmp_path / "synthetic.csv"))
        frame = client.datasets.to_pandas(synthetic_id)
        assert list(frame.columns) == list(csv.columns) == ["age", "city", "income", "born"]
        assert len(frame) == len(csv) == 500

        rows = list(client.models.rows(model_id, n=500, seed=2))
        assert [row["city"] for row in rows] == frame["city"].tolist()

        # The report of so few rows can put the sample in quarantine, so it comes after the downloads.
        evaluation = client.jobs.evaluate(real.id, synthetic_id, seed=1).wait(timeout_seconds=300)
        assert client.reports.get(evaluation.report_id).tables["synthetic"].n_rows == 500
        assert client.reports.html(evaluation.report_id, tmp_path / "report.html").stat().st_size > 1000

        assert real.id in [found.id for found in client.datasets.list(label=["team:ops"])]
        client.datasets.delete(real.id, cascade=True)
        with pytest.raises(NotFound):
            client.datasets.get(synthetic_id)


@pytest.mark.stack
def test_scenario_succeeds_with_the_asynchronous_client(stack: Stack, key: str, people: Path) -> None:
    async def scenario() -> None:
        async with AsyncClient(f"http://127.0.0.1:{stack.start_api().port}", key) as client:
            frame = pd.read_csv(people)
            real, second = await asyncio.gather(
                client.datasets.upload(frame, filename="people"),
                client.datasets.upload({"a": frame.head(50), "b": people}, wait=False),
            )
            training = await client.jobs.train(real.id, synthesizer={"name": "independent"}, seed=1)
            types = [event.type async for event in training.events()]
            assert (types[0], types[-1]) == ("queued", "succeeded")
            trained = await training.wait()
            sampling = await client.jobs.sample(trained.model_id, n_rows=50)
            sampled = await sampling.wait(timeout_seconds=300)
            table = await client.datasets.to_arrow(sampled.dataset_id)
            assert (table.num_rows, table.column_names) == (50, list(frame.columns))
            pipeline = await client.pipelines.create(dataset_id=real.id, sample={"n_rows": 20})
            done = await client.pipelines.wait(pipeline.id, timeout_seconds=300)
            assert (done.state, [stage.kind for stage in done.stages]) == ("succeeded", ["train", "sample"])
            assert [found.id async for found in client.pipelines.list(dataset_id=real.id)] == [pipeline.id]
            usage = await client.project.usage()
            assert sum(day.rows_sampled for day in usage.data) >= 70
            read = await client.datasets.get(real.id)
            renamed = await client.datasets.update(real.id, if_match=read.etag, name="renamed")
            assert renamed.name == "renamed"
            for dataset_id in (real.id, second.id):
                await client.datasets.delete(dataset_id, cascade=True)

    asyncio.run(scenario())


def _restart(stack: Stack) -> None:
    api = stack.start_api()
    api.kill()
    api.start()
