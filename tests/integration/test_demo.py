"""Tests for `understudy demo` on the first rows of its table, and for the commands that it prints."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import pytest

from understudy.cli.demo import serve_command
from understudy.embedded.background import BackgroundStack
from understudy.embedded.commands import StackOptions

pytestmark = pytest.mark.stack

DEMO = [sys.executable, "-m", "understudy.cli", "demo", "--rows", "1000", "--port", "0"]
PATIENCE_SECONDS = 60
EXPECTED_OUTPUT = ("1,000 rows: 14 integer", "Trained", "1,000 synthetic rows", "Scores")
# With few rows and many columns, a privacy attack can succeed. In this case, the rows stay in quarantine.
IN_QUARANTINE = "and are in quarantine"


def request(line: str, variables: dict[str, str]) -> httpx2.Response:
    """Send the request of a printed curl command, without curl itself."""
    for name, value in variables.items():
        line = line.replace(f"${name}", value)
    words = shlex.split(line)
    assert words.pop(0) == "curl"
    url = words.pop()
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    values = dict(options)
    if "-F" in values:
        field, _, file = values["-F"].partition("=@")
        return httpx2.post(url, headers=headers, files={field: (file, b"a,b\n1,x\n2,y\n")})
    if "-d" in values:
        return httpx2.post(url, headers=headers, content=values["-d"])
    return httpx2.get(url, headers=headers)


def printed_lines(output: str) -> list[str]:
    """Return the lines of the last section. A line that ends in a backslash is joined with the next line."""
    section = output.partition("Next steps")[2].partition("\n")[2]
    return [line.strip() for line in section.replace("\\\n", " ").splitlines() if line.strip()]


def test_demo_prints_its_results_and_commands_that_work_as_printed(tmp_path):
    command = [*DEMO, "--keep", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = ""
        while "yours.csv" not in output:
            line = process.stdout.readline()
            assert line, output
            output += line
        key, api, *curls = [line for line in printed_lines(output) if line.startswith(("KEY", "API", "curl"))]
        key_file = key.removeprefix("KEY=$(cat ").removesuffix(")")
        variables = {"KEY": Path(key_file).read_text().strip(), "API": api.removeprefix("API=")}
        assert [request(line, variables).status_code for line in curls] == [200, 202, 202]
        members = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert all(text in output for text in EXPECTED_OUTPUT)
    files = {path.name for path in (tmp_path / "demo").iterdir()}
    if IN_QUARANTINE in output:
        assert files == {"flights.csv", "report.html"}
    else:
        assert len((tmp_path / "demo" / "synthetic.csv").read_text().splitlines()) == 1001
        assert (tmp_path / "demo" / "synthetic.parquet").read_bytes().startswith(b"PAR1")
    assert (tmp_path / "demo" / "report.html").read_text().startswith("<!doctype html>")
    _, alive = psutil.wait_procs(members, timeout=PATIENCE_SECONDS)
    assert not [member for member in alive if member.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({"MAKELEVEL": "1"}, "http://127.0.0.1:8000", "make serve"),
        ({}, "http://127.0.0.1:8000", "understudy serve"),
        ({"MAKELEVEL": "1"}, "http://127.0.0.1:8123", "understudy serve --port 8123"),
    ],
)
def test_printed_serve_command_starts_the_same_stack(tmp_path, monkeypatch, environment, url, expected):
    monkeypatch.delenv("MAKELEVEL", raising=False)
    for name, value in ({"UNDERSTUDY_DATA_DIR": str(tmp_path)} | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["understudy"])
    (tmp_path / "url").write_text(url)
    assert serve_command(BackgroundStack(StackOptions(data_dir=tmp_path))) == expected


def test_unusable_data_folder_is_reported():
    done = subprocess.run(
        [*DEMO, "--data-dir", "/proc/understudy"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 5
    assert "UNDERSTUDY_DATA_DIR" in done.stderr
