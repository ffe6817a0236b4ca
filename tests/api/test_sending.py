"""Tests for the `upload` command with a real server and interrupted connections."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.api.conftest import new_key
from understudy.cli.application import run
from understudy.client.api import Client
from understudy.client.uploads import Pauses, Sender
from understudy.errors import Unavailable
from understudy.progress import no_progress
from understudy.resources import Resources
from understudy.services.api_keys import Caller

Address = tuple[str, int]
CSV = b"a,b\n" + b"".join(b"%d,text %d\n" % (n, n * n) for n in range(40_000))
UNIT = 1 << 16


class BadLine:
    """A proxy that cuts each of the first connections after a given number of bytes from the caller."""

    def __init__(self, server: Address, cuts: list[int]) -> None:
        self.server = server
        self.cuts = list(cuts)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self.listener.accept()
                Thread(target=self._forward, args=(caller,), daemon=True).start()

    def _forward(self, caller: socket.socket) -> None:
        budget = self.cuts.pop(0) if self.cuts else None
        server = socket.create_connection(self.server)
        Thread(target=self._back, args=(server, caller), daemon=True).start()
        with caller, server, suppress(OSError):
            while data := caller.recv(1 << 14):
                if budget is not None:
                    budget -= len(data)
                    if budget < 0:
                        break
                server.sendall(data)
            for end in (caller, server):
                end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _back(server: socket.socket, caller: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 14):
                caller.sendall(data)


@pytest.fixture
def url(address: Address) -> str:
    """Return the address of the server."""
    return f"http://{address[0]}:{address[1]}"


@pytest.fixture
def key(resources: Resources, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> str:
    """Create an API key and set it in the environment."""
    key = new_key(resources, caller)
    monkeypatch.setenv("UNDERSTUDY_API_KEY", key)
    return key


@pytest.fixture
def working(run_jobs: Callable[[], int]) -> Iterator[None]:
    """Run queued jobs continuously."""
    is_over = Event()

    def work() -> None:
        while not is_over.wait(0.05):
            run_jobs()

    thread = Thread(target=work)
    thread.start()
    yield
    is_over.set()
    thread.join()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "towns.csv"
    path.write_bytes(CSV)
    return path


def test_only_the_id_is_printed_to_stdout(
    url: str, key: str, working: None, table: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(["upload", str(table), "--url", url]) == 0
    dataset_id = capsys.readouterr().out.splitlines()[-1]
    with Client(url, key) as client:
        dataset = client.get(f"/v1/datasets/{dataset_id}")
    assert (dataset["name"], dataset["n_rows"], dataset["state"]) == ("towns", 40_000, "ready")


def test_several_files_are_uploaded_with_json_output(
    url: str, key: str, working: None, table: Path, capsys: pytest.CaptureFixture[str]
):
    other = table.with_name("other.csv")
    other.write_bytes(b"x\n1\n2\n")
    command = [
        "upload",
        str(table),
        str(other),
        "--url",
        url,
        "--name",
        "both",
        "--json",
    ]
    assert run(command) == 0
    dataset = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(one["name"], one["n_rows"]) for one in dataset["tables"]] == [("towns", 40_000), ("other", 2)]
    assert dataset["name"] == "both"


def test_upload_succeeds_after_an_interruption_at_any_point(
    address: Address, key: str, working: None, table: Path, resources: Resources
):
    pauses: list[float] = []
    # Cut the connection in the first request header, before a body, within bodies, and between requests.
    cuts = [0, 300, 1000, UNIT // 2, UNIT + 900, 3 * UNIT, 3 * UNIT + 1, 2 * UNIT + 77]
    line = BadLine(address, cuts)
    with Client(line.url, key) as client:
        sender = Sender(client, part_bytes=UNIT, pauses=Pauses(sleep=pauses.append))
        dataset = sender.send([table], no_progress)
        assert (dataset["state"], dataset["n_rows"]) == ("ready", 40_000)
        # Lost responses did not lead to a second upload or dataset.
        assert len(client.get("/v1/uploads")["data"]) == 1
        assert len(client.get("/v1/datasets")["data"]) == 1
    assert line.cuts == []
    assert pauses
    line.listener.close()


def test_repeated_command_resumes_the_interrupted_upload(
    address: Address, url: str, key: str, working: None, table: Path
):
    line = BadLine(address, [6 * UNIT] + [0] * 100)
    never = Pauses(sleep=lambda seconds: None, tries_max=3)
    with Client(line.url, key) as client, pytest.raises(Unavailable):
        Sender(client, part_bytes=UNIT, pauses=never).send([table], no_progress)
    line.listener.close()
    with Client(url, key) as client:
        (upload,) = client.get("/v1/uploads")["data"]
        there = len(client.get(f"/v1/uploads/{upload['id']}")["parts"])
        assert 0 < there < upload["n_parts"]
        sent: list[float] = []
        Sender(client, part_bytes=UNIT).send(
            [table], lambda phase, fraction, **_: sent.append(fraction) if phase == "sending" else None
        )
        assert len(sent) == upload["n_parts"] - there
        assert client.get(f"/v1/uploads/{upload['id']}")["state"] == "completed"


def test_unreadable_table_is_reported(
    url: str, key: str, working: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    table = tmp_path / "bad.csv"
    table.write_bytes(b"a,b\n1,2\n3\n")
    assert run(["upload", str(table), "--url", url, "--json"]) == 2
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["code"] == "ragged_rows"


@pytest.mark.parametrize(
    ("given", "status", "word"), [("", 5, "UNDERSTUDY_API_KEY"), ("sk_wrong", 2, "API key")]
)
def test_nothing_is_sent_without_a_valid_key(
    url: str,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
    status: int,
    word: str,
):
    monkeypatch.setenv("UNDERSTUDY_API_KEY", given)
    assert run(["upload", str(table), "--url", url]) == status
    assert word in capsys.readouterr().err
