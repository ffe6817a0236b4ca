"""Fill a database and a store with the code of commit 9e3888f and save both. README.md explains the steps."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.testclient import TestClient

from app.main import create_app
from understudy.db import leases
from understudy.db.migrate import upgrade
from understudy.embedded.binaries import postgres_install
from understudy.embedded.servers import PrivatePostgres
from understudy.job_queue import ListQueue
from understudy.resources import CODE_VERSION, Resources, open_resources
from understudy.sandbox import Sandbox
from understudy.services import idempotency
from understudy.services.api_keys import create_api_key, revoke_api_key
from understudy.services.job_runs import run_next_job
from understudy.services.projects import create_project
from understudy.settings import Settings

Json = dict[str, Any]

SECRET_KEY = "a key for tests, of 32 characters or more"
# Jobs and uploads must not expire before the database is restored.
CENTURY_SECONDS = 100 * 365 * 86_400.0
PART_BYTES = 1 << 16
HARSH = {"name": "harsh", "thresholds": [{"metric": "column_shapes", "fail": 1.0}]}
TREE_CHAIN = {"name": "tree_chain", "preset": "fast"}
INDEPENDENT = {"name": "independent"}


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - rows, not secrets


def people_csv(n: int) -> bytes:
    rng = seeded(1)
    lines = ["id,city,age,income,member"]
    for row in range(n):
        age = "" if rng.random() < 0.05 else rng.randint(18, 90)
        income = f"{rng.gauss(3000, 700):.2f}"
        lines.append(f"{row},{rng.choice(['Oslo', 'Rome', 'Lima'])},{age},{income},{rng.random() < 0.3}")
    return "\n".join(lines).encode() + b"\n"


def visits_csv(n_patients: int) -> bytes:
    rng = seeded(2)
    lines = ["patient,visited_on,ward,pressure,weight,paid"]
    for patient in range(n_patients):
        weight = rng.uniform(50, 110)
        for _ in range(rng.randint(1, 5)):
            ward = rng.choice(["A", "B", "C"])
            pressure = "" if rng.random() < 0.1 else int(rng.gauss(110 + weight / 5, 9))
            day = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            lines.append(f"P{patient:04},{day},{ward},{pressure},{weight:.1f},{rng.random() < 0.4}")
    return "\n".join(lines).encode() + b"\n"


def customers_csv(n: int) -> bytes:
    rng = seeded(3)
    rows = (f"{row},{rng.choice(['north', 'south'])},{rng.randint(1, 5)}\n" for row in range(n))
    return b"id,region,grade\n" + "".join(rows).encode()


def orders_csv(n: int, n_customers: int) -> bytes:
    rng = seeded(4)
    rows = (f"{row},{rng.randrange(n_customers)},{rng.gauss(40, 9):.2f}\n" for row in range(n))
    return b"id,customer_id,amount\n" + "".join(rows).encode()


def towns_csv(n: int) -> bytes:
    return b"a,b\n" + b"".join(b"%d,text %d\n" % (row, row % 50) for row in range(n))


class Filler:
    """A client that performs user actions over HTTP and records the IDs of the results by name."""

    def __init__(self, resources: Resources, sandbox: Sandbox) -> None:
        self.resources = resources
        self.sandbox = sandbox
        self.ids: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.project_id = create_project(resources, "kept").id
        for name, scopes in {
            "usual": ("read", "read_real", "write"),
            "reader": ("read",),
            "administrator": ("read", "write", "admin"),
        }.items():
            self.keys[name] = create_api_key(resources, self.project_id, name, scopes)[1]
        revoked, self.keys["revoked"] = create_api_key(resources, self.project_id, "revoked")
        revoke_api_key(resources, self.project_id, revoked.id)
        self.app = create_app(resources)
        self.client = self.client_of("usual")

    def client_of(self, key: str) -> TestClient:
        return TestClient(self.app, headers={"Authorization": f"Bearer {self.keys[key]}"})

    def call(self, method: str, path: str, **arguments: Any) -> Json:
        response = self.client.request(method, path, **arguments)
        assert response.is_success, response.text
        body: Json = response.json()
        return body

    def run_jobs(self) -> None:
        while run_next_job(self.resources, self.sandbox, "worker@kept"):
            pass

    def upload(self, name: str, *files: tuple[str, bytes], **form: str) -> str:
        """Upload files as a dataset, without running its job."""
        body = self.call(
            "POST", "/v1/datasets", files=[("file", file) for file in files], data={"name": name, **form}
        )
        self.ids[name] = body["dataset"]["id"]
        self.ids[f"job of {name}"] = body["job"]["id"]
        return self.ids[name]

    def submit(self, name: str, **parameters: Any) -> str:
        """Submit a job."""
        headers = {"Idempotency-Key": f"key of {name}".replace(" ", "-")}
        job_id: str = self.call("POST", "/v1/jobs", json=parameters, headers=headers)["id"]
        self.ids[f"job of {name}"] = job_id
        return job_id

    def make(self, name: str, **parameters: Any) -> str:
        """Run a job and return the ID of its result."""
        job_id = self.submit(name, **parameters)
        self.run_jobs()
        job = self.call("GET", f"/v1/jobs/{job_id}")
        assert job["state"] == "succeeded", job
        noun = {"train": "model_id", "evaluate": "report_id"}.get(parameters["kind"], "dataset_id")
        self.ids[name] = job["result"][noun]
        return self.ids[name]

    def fill_datasets(self) -> None:
        self.upload("people", ("people.csv", people_csv(240)), labels='{"team": "kept"}')
        self.upload("visits", ("visits.csv", visits_csv(110)))
        self.upload(
            "shop",
            ("customers.csv", customers_csv(160)),
            ("orders.csv", orders_csv(260, 160)),
            labels='{"team": "shop"}',
        )
        self.upload("spoiled", ("spoiled.csv", people_csv(99) + b"100,Oslo\n"), bad_rows="skip")
        self.upload("unreadable", ("unreadable.csv", b"a,b\n1,2\n3\n4,5\n"))
        self.run_jobs()
        change = {"columns": {"ward": {"kind": "text"}}, "subject": "patient", "locale": "de"}
        self.call("PATCH", f"/v1/datasets/{self.ids['visits']}/schema", json=change)
        change = {"columns": {"grade": {"kind": "category"}}, "locale": "de-at"}
        self.call("PATCH", f"/v1/datasets/{self.ids['shop']}/schema?table=customers", json=change)

    def fill_models(self) -> None:
        people, visits, shop = (self.ids[name] for name in ("people", "visits", "shop"))
        self.make(
            "model of people", kind="train", dataset_id=people, synthesizer=INDEPENDENT, holdout_fraction=0
        )
        self.make(
            "model of visits",
            kind="train",
            dataset_id=visits,
            synthesizer=TREE_CHAIN,
            holdout_fraction=0.25,
            canaries={"n_canaries": 10},
            seed=11,
        )
        self.make("tree of people", kind="train", dataset_id=people, synthesizer=TREE_CHAIN, seed=12)
        self.make(
            "model of orders", kind="train", dataset_id=shop, table="orders", synthesizer=INDEPENDENT, seed=13
        )

    def fill_made_datasets(self) -> None:
        models = ("model of people", "model of visits", "tree of people", "model of orders")
        for number, name in enumerate(models):
            self.make(f"sample of {name}", kind="sample", model_id=self.ids[name], n_rows=150, seed=number)
        self.make(
            "completed visits",
            kind="impute",
            model_id=self.ids["model of visits"],
            dataset_id=self.ids["visits"],
            seed=5,
        )
        self.make(
            "completed people",
            kind="impute",
            model_id=self.ids["tree of people"],
            dataset_id=self.ids["people"],
            n_draws=2,
            seed=6,
        )

    def fill_reports(self) -> None:
        for name, sample, more in (
            ("people", "sample of model of people", {"target": "member"}),
            ("visits", "sample of model of visits", {"target": "paid"}),
            ("shop", "sample of model of orders", {"table": "orders"}),
        ):
            pair = {"dataset_id": self.ids[name], "synthetic_dataset_id": self.ids[sample]}
            self.make(f"report on {name}", kind="evaluate", **pair, seed=3, **more)

    def fill_gate(self) -> None:
        """Leave one sample in quarantine and one sample that was released from quarantine."""
        self.client = self.client_of("administrator")
        self.call("PATCH", "/v1/project", json={"policy": HARSH, "gate": "until_reviewed"})
        model = self.ids["tree of people"]
        for name in ("failed sample", "released sample", "unreviewed sample"):
            self.make(name, kind="sample", model_id=model, n_rows=120, seed=len(self.ids))
        self.client = self.client_of("usual")
        pair = {"dataset_id": self.ids["people"], "synthetic_dataset_id": self.ids["failed sample"]}
        self.make("report on failed sample", kind="evaluate", **pair, seed=3)
        self.client = self.client_of("administrator")
        path = f"/v1/datasets/{self.ids['released sample']}/release"
        self.call("POST", path, json={"reason": "Load tests only, approved in ticket 4711."})
        self.call("PATCH", "/v1/project", json={"policy": "standard", "gate": "on_fail"})
        self.client = self.client_of("usual")

    def fill_uploads(self) -> None:
        """Leave one upload with missing parts and one upload with all parts."""
        files = [("towns.csv", towns_csv(7_000)), ("notes.csv", b"n,text\n" + b"1,a\n2,b\n" * 40)]
        descriptions = [
            {"filename": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files
        ]
        for name, part_of in (("running upload", files), ("upload of one file", files[1:])):
            body = {"files": descriptions[-len(part_of) :], "part_bytes": PART_BYTES, "name": name}
            upload = self.call("POST", "/v1/uploads", json=body)
            self.ids[name] = upload["id"]
        self.send_part("running upload", 2, files[0][1][PART_BYTES:])
        self.send_part("upload of one file", 1, files[1][1])

    def send_part(self, upload: str, number: int, data: bytes) -> None:
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
        path = f"/v1/uploads/{self.ids[upload]}/parts/{number}"
        self.call("PUT", path, content=data, headers={"Content-Digest": digest})

    def fill_cancelled_job(self) -> None:
        cancelled = self.submit("cancelled training", kind="train", dataset_id=self.ids["people"])
        self.call("POST", f"/v1/jobs/{cancelled}/cancel")

    def fill_running_job(self) -> None:
        """Leave a job with a dead worker, so that the lease of the job expires."""
        self.submit(
            "lost training", kind="train", dataset_id=self.ids["people"], synthesizer=INDEPENDENT, seed=21
        )
        with self.resources.sessions.begin() as session:
            leases.claim(
                session, worker="worker@lost", kinds=["train"], code_version=CODE_VERSION, lease_seconds=0.1
            )

    def fill_waiting_jobs(self) -> None:
        people, visits, shop = (self.ids[name] for name in ("people", "visits", "shop"))
        self.upload("late people", ("late.csv", people_csv(60)))
        self.upload("late shop", ("customers.csv", customers_csv(40)), ("orders.csv", orders_csv(90, 40)))
        self.submit("waiting training", kind="train", dataset_id=people, synthesizer=INDEPENDENT)
        self.submit(
            "waiting training of a table",
            kind="train",
            dataset_id=shop,
            table="customers",
            synthesizer={"name": "tree_chain", "time_budget_seconds": 60},
        )
        self.submit(
            "waiting sample",
            kind="sample",
            model_id=self.ids["tree of people"],
            conditions=[{"where": {"city": {"equals": "Oslo"}}, "n_rows": 40}],
        )
        self.submit(
            "waiting sample of a table", kind="sample", model_id=self.ids["model of orders"], n_rows=50
        )
        self.submit(
            "waiting imputation", kind="impute", model_id=self.ids["model of visits"], dataset_id=visits
        )
        pair = {"dataset_id": visits, "synthetic_dataset_id": self.ids["sample of model of visits"]}
        self.submit("waiting report", kind="evaluate", **pair)
        pair = {"dataset_id": shop, "synthetic_dataset_id": self.ids["sample of model of orders"]}
        self.submit("waiting report on a table", kind="evaluate", **pair, table="orders")

    def fill_idempotency(self) -> None:
        """Leave an idempotency key whose request ended without a response."""
        idempotency.begin(self.resources, self.project_id, "key-without-answer", b"x" * 32)

    def fill(self) -> None:
        self.fill_datasets()
        self.fill_models()
        self.fill_made_datasets()
        self.fill_reports()
        self.fill_gate()
        self.fill_uploads()
        self.fill_cancelled_job()
        self.fill_running_job()
        self.fill_waiting_jobs()
        self.fill_idempotency()


def dump(url: str, target: Path) -> None:
    """Write the database as SQL statements, without the commands of psql."""
    command = [str(postgres_install() / "bin" / "pg_dump"), "--no-owner", "--no-privileges", "--inserts"]
    done = subprocess.run(
        [*command, "--rows-per-insert=200", url], check=True, capture_output=True, text=True
    )
    statements = "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\", "--")))
    target.write_bytes(gzip.compress(statements.encode(), mtime=0))


def archive(folder: Path, target: Path) -> None:
    """Write the blobs under their keys, without user names or file times."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = 0
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with tarfile.open(target, "w:xz") as tar:
        tar.add(folder, arcname=".", filter=plain)


def main(target: Path) -> None:
    """Fill a new database and a new store, and write both into a folder."""
    with TemporaryDirectory() as folder, Sandbox("understudy.job_kinds:run_work") as sandbox:
        server = PrivatePostgres(Path(folder) / "postgres", durable=False)
        server.start()
        try:
            upgrade(server.url)
            settings = Settings(
                database_url=server.url,
                secret_key=SECRET_KEY,
                data_dir=Path(folder) / "data",
                retry_backoff_seconds=0,
                job_ttl_seconds=CENTURY_SECONDS,
                upload_ttl_seconds=CENTURY_SECONDS,
            )
            resources = open_resources(settings, queue=ListQueue())
            filler = Filler(resources, sandbox)
            filler.fill()
            resources.close()
            dump(server.url, target / "database.sql.gz")
        finally:
            server.stop()
        archive(Path(folder) / "data" / "blobs", target / "store.tar.xz")
    kept = {"ids": filler.ids, "keys": filler.keys}
    (target / "names.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
