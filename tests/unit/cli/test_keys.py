"""Tests for the commands create-key and revoke-key."""

import json

import pytest

from understudy.cli.application import run
from understudy.errors import Unauthenticated
from understudy.resources import Resources
from understudy.services.api_keys import authenticate
from understudy.services.projects import create_project, find_project
from understudy.settings import Settings


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url is not None
    assert settings.secret_key is not None
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("UNDERSTUDY_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("UNDERSTUDY_DATA_DIR", str(settings.data_dir))


def test_stdout_contains_only_the_key_of_the_new_project(resources: Resources, capsys):
    assert run(["create-key", "--project", "sales"]) == 0
    caller = authenticate(resources, capsys.readouterr().out.strip())
    assert caller.project_id == find_project(resources, "sales").id
    assert caller.scopes == {"read", "read_real", "write"}


def test_second_key_belongs_to_the_same_project(resources: Resources, capsys):
    run(["create-key", "--project", "sales", "--json"])
    run(["create-key", "--project", "sales", "--scope", "read", "--json"])
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["project_id"] == second["project_id"]
    assert authenticate(resources, second["key"]).scopes == {"read"}


def test_no_key_is_created_if_two_projects_have_the_same_name(resources: Resources, capsys):
    for _ in range(2):
        create_project(resources, "twins")
    assert run(["create-key", "--project", "twins"]) == 4
    assert capsys.readouterr().out == ""


def test_error_for_an_unknown_scope_contains_its_name(capsys):
    assert run(["create-key", "--project", "sales", "--scope", "everything"]) == 2
    assert "'everything'" in capsys.readouterr().err


@pytest.mark.parametrize("as_key", [False, True])
def test_revoked_key_is_refused(resources: Resources, capsys, as_key: bool):
    run(["create-key", "--project", "sales", "--json"])
    made = json.loads(capsys.readouterr().out)
    assert run(["revoke-key", made["key"] if as_key else made["key_id"], "--project", "sales"]) == 0
    with pytest.raises(Unauthenticated):
        authenticate(resources, made["key"])


def test_key_of_another_project_is_not_revoked(resources: Resources, capsys):
    run(["create-key", "--project", "sales", "--json"])
    made = json.loads(capsys.readouterr().out)
    create_project(resources, "support")
    assert run(["revoke-key", made["key_id"], "--project", "support"]) == 3
    authenticate(resources, made["key"])


@pytest.mark.parametrize("command", [["create-key"], ["revoke-key", "key_1"]])
def test_error_without_a_database_or_a_running_stack_contains_a_remedy(
    command, tmp_path, monkeypatch, capsys
):
    monkeypatch.delenv("UNDERSTUDY_DATABASE_URL")
    assert run([*command, "--project", "sales", "--data-dir", str(tmp_path)]) == 5
    assert f"No stack is running in {tmp_path}. Start one with `understudy serve`" in capsys.readouterr().err
