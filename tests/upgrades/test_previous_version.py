"""Tests for the previous version's code on this version's schema. Both are in use during an upgrade.

The recorded statements are tested everywhere. A clone of the repository also contains the previous code
itself, so there the tests run its worker. `tests/upgrades/record.py` records the statements of a version.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.faults.stack import Stack, open_stack
from understudy.db.migrate import make_config, upgrade
from understudy.db.revision import required_revision
from understudy.db.session import parse_url

ROOT = Path(__file__).parents[2]
STATEMENTS = sorted((Path(__file__).parent / "statements").glob("*.json"))
INTERVAL = re.compile(r"%\(((?:clock_timestamp|random)_\d+)\)s(?!::)")
PARAMETER = re.compile(r"%\((\w+)\)s")
COLUMNS = """
    select table_name || '.' || column_name, data_type, is_nullable = 'NO', column_default is not null or
        is_identity = 'YES' from information_schema.columns where table_schema = 'public'
"""


def git(*arguments: str, folder: Path = ROOT) -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def released_revision(current: str, folder: Path = ROOT) -> str | None:
    """Return the revision of the newest release that has an older schema than the current version.

    A release is a tag such as `v0.1.0` and can add several migrations. Return None if no release matches.
    """
    tags = git("tag", "--merged", "HEAD", "--list", "v*", "--sort=-version:refname", folder=folder)
    for tag in tags.decode().split():
        names = git("ls-tree", "--name-only", tag, "migrations/versions/", folder=folder).decode().split()
        revision = max((name.rpartition("/")[2][:4] for name in names), default=current)
        if revision < current:
            return revision
    return None


def numbered(statement: str) -> str:
    """Return a statement of psycopg with numbered parameters."""
    # The driver sends the type of an interval with its value.
    statement = INTERVAL.sub(r"%(\1)s::interval", statement)
    names: dict[str, int] = {}
    replaced = PARAMETER.sub(lambda match: f"${names.setdefault(match[1], len(names) + 1)}", statement)
    return replaced.replace("%%", "%")


@pytest.mark.parametrize("recorded", STATEMENTS, ids=lambda path: path.stem)
def test_recorded_statements_of_earlier_versions_are_valid(database_url: str, recorded: Path):
    statements = json.loads(recorded.read_text())
    assert len(statements) > 100
    engine = create_engine(parse_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for statement in statements:
            cursor.execute(f"explain (generic_plan) {numbered(statement)}")


def test_statements_of_an_earlier_revision_are_recorded():
    revisions = sorted(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))
    # One version can add several migrations.
    assert STATEMENTS[-1].stem in revisions[:-1], "Run python -m tests.upgrades.record (see its docstring)."


def columns(url: str) -> dict[str, tuple[str, bool, bool]]:
    with create_engine(parse_url(url), poolclass=NullPool).connect() as connection:
        return {
            name: (kind, is_required, has_default)
            for name, kind, is_required, has_default in connection.execute(text(COLUMNS))
        }


def test_the_newest_migrations_only_expand_the_schema(empty_url: str):
    migrate_to(empty_url, STATEMENTS[-1].stem)
    before = columns(empty_url)
    upgrade(empty_url)
    after = columns(empty_url)

    assert {name: after.get(name, ("missing",))[0] for name in before} == {
        name: kind for name, (kind, _, _) in before.items()
    }
    # Earlier code does not fill in new columns.
    for name in after.keys() - before.keys():
        _, is_required, has_default = after[name]
        is_of_new_table = not any(known.startswith(name.partition(".")[0] + ".") for known in before)
        assert is_of_new_table or has_default or not is_required, name


def migrate_to(url: str, revision: str) -> None:
    from alembic import command

    with create_engine(parse_url(url), poolclass=NullPool).begin() as connection:
        config = make_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


if (ROOT / ".git").exists():
    # A source archive has no history. There, the recorded statements are the only test of the previous code.

    def test_statements_of_the_last_release_are_recorded():
        revision = released_revision(required_revision())
        recorded = {path.stem for path in STATEMENTS}
        assert revision is None or revision in recorded, (
            "Run python -m tests.upgrades.record (see its docstring)."
        )

    def test_released_revision_belongs_to_the_newest_release_with_an_older_schema(tmp_path: Path):
        git("init", "-q", folder=tmp_path)
        for n_migrations, tag in ((1, "v0.9.0"), (2, "v0.10.0"), (4, "v0.11.0")):
            for number in range(1, n_migrations + 1):
                file = tmp_path / "migrations" / "versions" / f"{number:04d}_change.py"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            author = ("-c", "user.name=test", "-c", "user.email=test@example.com")
            git("add", "-A", folder=tmp_path)
            git(*author, "commit", "-q", "-m", "change", folder=tmp_path)
            git(*author, "tag", tag, folder=tmp_path)
        assert released_revision("0005", tmp_path) == "0004"
        assert released_revision("0004", tmp_path) == "0002"
        assert released_revision("0001", tmp_path) is None

    @pytest.fixture(scope="module")
    def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Extract the last commit whose schema differs from the current schema."""
        newest = f"migrations/versions/{required_revision()}_*.py"
        added = git("log", "--diff-filter=A", "-n", "1", "--format=%H", "--", newest).decode().strip()
        commit = f"{added}^" if added else "HEAD"
        folder = tmp_path_factory.mktemp("previous")
        archive = git("archive", commit, "understudy", "workers", "app", "migrations", "pyproject.toml")
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        return folder

    @pytest.fixture(scope="module")
    def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
        with open_stack(postgres, valkey, tmp_path_factory.mktemp("upgrade")) as stack:
            yield stack

    def test_previous_worker_runs_jobs_of_this_version(stack: Stack, previous: Path, small_table: pa.Table):
        # Without PYTHONSAFEPATH, the working directory would come first.
        stack.environment |= {"PYTHONPATH": str(previous), "PYTHONSAFEPATH": "1"}
        show = [
            sys.executable,
            "-c",
            "import understudy, workers; print(understudy.__file__, workers.__file__)",
        ]
        environment = {**os.environ, **stack.environment}
        paths = subprocess.run(
            show, env=environment, capture_output=True, check=True, text=True
        ).stdout.split()
        assert all(path.startswith(str(previous)) for path in paths)
        worker = stack.start_worker()
        dataset_id, ingest = stack.upload(small_table)
        probe = stack.submit("probe")
        assert [job.error_detail for job in stack.finish(ingest, probe)] == [None, None]
        trained = stack.run("train", dataset_id=dataset_id, synthesizer={"name": "independent"}, seed=1)
        assert trained.state == "succeeded"
        assert worker.stop() == 0
        stack.check()
