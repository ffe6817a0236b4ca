"""Tests for service commands with missing or invalid settings. These tests need no database."""

import pytest

from understudy.cli.application import run

SETTINGS = {
    "UNDERSTUDY_DATABASE_URL": "postgresql://user@127.0.0.1:1/none",
    "UNDERSTUDY_SECRET_KEY": "s" * 40,
    "UNDERSTUDY_REDIS_URL": "redis://127.0.0.1:1/0",
}


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("UNDERSTUDY_DATABASE_URL", None, "or set UNDERSTUDY_DATABASE_URL"),
        ("UNDERSTUDY_DATABASE_URL", "nonsense", "UNDERSTUDY_DATABASE_URL is not the URL of a database"),
        ("UNDERSTUDY_SECRET_KEY", None, "UNDERSTUDY_SECRET_KEY is not set"),
        ("UNDERSTUDY_SECRET_KEY", "short", "UNDERSTUDY_SECRET_KEY must have at least"),
        ("UNDERSTUDY_REDIS_URL", None, "UNDERSTUDY_REDIS_URL is not set"),
        ("UNDERSTUDY_REDIS_URL", "nonsense://secret@host", "UNDERSTUDY_REDIS_URL is not the URL of a broker"),
        ("UNDERSTUDY_REDIS_URL", "redis://host:port/0", "UNDERSTUDY_REDIS_URL is not the URL of a broker"),
        ("UNDERSTUDY_STORAGE_URL", "nonsense://x", "UNDERSTUDY_STORAGE_URL"),
        ("UNDERSTUDY_WORKER_QUEUES", "default,No!", "The value of UNDERSTUDY_WORKER_QUEUES is invalid"),
    ],
)
def test_error_names_the_missing_or_invalid_setting_and_the_exit_status_is_5(
    variable, value, message, tmp_path, monkeypatch, capsys
):
    for name, text in {**SETTINGS, "UNDERSTUDY_DATA_DIR": str(tmp_path), variable: value}.items():
        if text is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, text)
    assert run(["create-key", "--project", "sales"]) == 5
    stderr = capsys.readouterr().err
    assert message in stderr
    assert "secret@" not in stderr
