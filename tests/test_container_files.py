"""Tests of the container files that run without a container engine."""

import re
from pathlib import Path

import pytest

from understudy.cli.commands import COMMANDS
from understudy.repository import MARKERS
from understudy.sandbox.supervisor import ENVIRONMENT
from understudy.settings import Settings

ROOT = Path(__file__).parent.parent
DEFAULTS = Settings()


def test_jobs_inherit_the_numba_variables_of_the_image():
    # Without these variables, every job would compile its kernels and take 20 s instead of 1 s.
    variables = set(re.findall(r"NUMBA_[A-Z_]+", (ROOT / "Dockerfile").read_text()))
    assert variables
    assert variables <= set(ENVIRONMENT)


def test_compose_sets_only_existing_settings():
    names = re.findall(r"^ +UNDERSTUDY_([A-Z_]+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)


def test_image_and_compose_file_run_existing_commands():
    commands = re.findall(
        r'^CMD \["understudy", "([a-z-]+)"', (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    commands += re.findall(r'command: \["understudy", "([a-z-]+)"', (ROOT / "docker-compose.yml").read_text())
    assert set(commands) == {"api", "worker", "migrate"}
    assert set(commands) <= {command.name for command in COMMANDS}


@pytest.mark.parametrize(
    ("service", "seconds"),
    [
        ("api", DEFAULTS.api_pause_seconds + DEFAULTS.api_grace_seconds),
        # After the drain, a process has 10 s to end, and the end of the job is written within 20 s.
        ("worker", DEFAULTS.drain_seconds + 30),
    ],
)
def test_containers_have_enough_time_to_stop(service: str, seconds: float):
    text = (ROOT / "docker-compose.yml").read_text()
    block = re.search(rf"^  {service}:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert block is not None
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", block[1])
    assert int(grace) > seconds


def test_image_contains_the_service():
    # The wheel does not contain the service, so the image installs the repository in editable mode.
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY ([a-z]+) \1$", dockerfile, re.MULTILINE))
    let_through = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    needed = {"understudy", *(Path(marker).parts[0] for marker in MARKERS if "/" in marker)}
    assert needed <= copied
    assert needed <= let_through
    assert "--editable ." in dockerfile
