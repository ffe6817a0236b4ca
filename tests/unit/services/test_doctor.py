"""Tests of the checks of an installation."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from understudy.cli.application import run
from understudy.resources import Resources
from understudy.services.doctor import Finding, diagnose
from understudy.services.rescue import report_worker
from understudy.storage.local import LocalStore


def faults(resources: Resources) -> dict[str, Finding]:
    return {finding.check: finding for finding in diagnose(resources) if finding.is_fault}


@pytest.fixture
def healthy(resources: Resources) -> Resources:
    """Return resources of an installation with a worker."""
    report_worker(resources, "worker@test", concurrency=2)
    return resources


def test_healthy_installation_has_no_fault(healthy: Resources):
    assert faults(healthy) == {}
    checks = {finding.check for finding in diagnose(healthy)}
    assert checks >= {
        "database",
        "migrations",
        "clock",
        "broker",
        "storage",
        "scratch",
        "disk space",
        "workers",
    }


def test_every_fault_and_warning_has_a_remedy(resources: Resources, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resources.queue, "is_reachable", lambda: False)
    monkeypatch.setattr("understudy.services.doctor.FREE_BYTES_MIN", 1 << 62)
    found = diagnose(resources)
    assert {finding.check for finding in found if finding.is_fault} == {"broker", "workers"}
    assert all(finding.remedy for finding in found if finding.is_fault)
    assert any(finding.check == "disk space" and finding.remedy for finding in found)


def test_readable_key_file_is_a_fault(healthy: Resources):
    file = healthy.settings.data_dir / "secret-key"
    file.write_text("secret")
    file.chmod(0o600)
    assert faults(healthy) == {}
    file.chmod(0o644)
    assert str(file) in (faults(healthy)["key files"].remedy or "")


def test_folder_that_is_a_file_is_a_fault(healthy: Resources):
    blocked = healthy.settings.data_dir / "blocked"
    blocked.write_text("")
    broken = replace(healthy, scratch_folder=blocked)
    assert str(blocked) in (faults(broken)["scratch"].remedy or "")
    assert isinstance(healthy.store, LocalStore)


def test_command_prints_a_missing_setting_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, tmp_path
):
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", database_url)
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("UNDERSTUDY_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("UNDERSTUDY_SECRET_KEY", raising=False)
    assert run(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    (finding,) = report["findings"]
    assert (report["is_healthy"], finding["check"], finding["state"]) == (False, "settings", "fault")
    assert "UNDERSTUDY_SECRET_KEY" in finding["detail"]


def test_command_lists_the_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, tmp_path
):
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", database_url)
    monkeypatch.setenv("UNDERSTUDY_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("UNDERSTUDY_SECRET_KEY", "x" * 40)
    monkeypatch.setenv("UNDERSTUDY_DATA_DIR", str(tmp_path))
    assert run(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "ok       migrations: The schema is up to date." in printed
    assert "fault    broker: The broker does not respond." in printed
