"""Tests for the container files. These tests run without a container engine."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from app.routes import health
from understudy.cli.commands import COMMANDS
from understudy.repository import MARKERS
from understudy.sandbox.supervisor import ENVIRONMENT
from understudy.settings import Settings

ROOT = Path(__file__).parent.parent
DEFAULTS = Settings()
OVERRIDES = ("docker-compose.no-broker.yml", "docker-compose.s3.yml")


def test_jobs_inherit_the_numba_variables_of_the_image():
    # Without these variables, every job would compile its kernels and take 20 s instead of 1 s.
    variables = set(re.findall(r"NUMBA_[A-Z_]+", (ROOT / "Dockerfile").read_text()))
    assert variables
    assert variables <= set(ENVIRONMENT)


def test_compose_sets_only_existing_settings():
    text = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", *OVERRIDES))
    names = re.findall(r"^ +UNDERSTUDY_([A-Z_]+):", text, re.MULTILINE)
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)


@pytest.mark.parametrize("name", OVERRIDES)
def test_override_changes_only_environment_networks_and_profiles(name: str):
    # An override of the user, the file system or the security profile would silently weaken the container.
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    changed = yaml.safe_load((ROOT / name).read_text())["services"]
    assert set(changed) <= set(services)
    assert {key for service in changed.values() for key in service} <= {"environment", "networks", "profiles"}
    assert changed.get("valkey", {}) in ({}, {"profiles": ["broker"]})


def test_no_service_waits_for_the_broker_if_there_is_none():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    changed = yaml.safe_load((ROOT / "docker-compose.no-broker.yml").read_text())["services"]
    users = {name for name, own in services.items() if "UNDERSTUDY_REDIS_URL" in own.get("environment", {})}
    assert users == {"api", "worker", "migrate"}
    for name in users:
        assert changed[name]["environment"] == {"UNDERSTUDY_REDIS_URL": "none"}
        broker = services[name].get("depends_on", {}).get("valkey", {"required": False})
        assert broker["required"] is False


def test_only_services_that_access_the_object_store_reach_the_outside_network():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    changed = yaml.safe_load((ROOT / "docker-compose.s3.yml").read_text())["services"]
    networks = {name: changed.get(name, service)["networks"] for name, service in services.items()}
    assert {name for name, own in networks.items() if "outside" in own} == {"api", "worker"}


def test_health_checks_of_the_image_run_existing_modules():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    _, program, option, module = services["worker"]["healthcheck"]["test"]
    assert (program, option) == ("python", "-m")
    assert find_spec(module) is not None
    (path,) = re.findall(r"urlopen\('http://127.0.0.1:8000(/\w+)'", (ROOT / "Dockerfile").read_text())
    assert path in {route.path for route in health.router.routes}


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
