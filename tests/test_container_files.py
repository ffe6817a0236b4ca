"""What the container files rest on, as far as it can be seen without an engine."""

import re
from pathlib import Path

from understudy.repository import MARKERS
from understudy.sandbox.supervisor import ENVIRONMENT
from understudy.settings import Settings

ROOT = Path(__file__).parent.parent


def test_jobs_see_what_the_image_says_of_its_compiled_kernels():
    # One that is missing makes every job compile anew: 20 s where it takes one.
    named = set(re.findall(r"NUMBA_[A-Z_]+", (ROOT / "Dockerfile").read_text()))
    assert named
    assert named <= set(ENVIRONMENT)


def test_compose_sets_only_settings_that_exist():
    named = re.findall(r"^ +UNDERSTUDY_([A-Z_]+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_image_contains_the_service():
    # The wheel does not: the image installs the repository as an editable one.
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY ([a-z]+) \1$", dockerfile, re.MULTILINE))
    let_through = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    needed = {"understudy", *(Path(marker).parts[0] for marker in MARKERS if "/" in marker)}
    assert needed <= copied
    assert needed <= let_through
    assert "--editable ." in dockerfile
