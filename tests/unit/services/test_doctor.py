"""Tests for the installation checks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import botocore.session
import pytest

from understudy.cli.application import run
from understudy.resources import Resources
from understudy.services.doctor import Finding, diagnose
from understudy.services.rescue import report_worker
from understudy.storage import StoreOptions, open_store
from understudy.storage.base import RemoteState
from understudy.storage.local import LocalStore
from understudy.storage.memory import MemoryStore


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


def test_key_file_that_others_can_read_is_reported_as_a_fault(healthy: Resources):
    file = healthy.settings.data_dir / "secret-key"
    file.write_text("secret")
    file.chmod(0o600)
    assert faults(healthy) == {}
    file.chmod(0o644)
    assert str(file) in (faults(healthy)["key files"].remedy or "")


def test_file_instead_of_a_folder_is_reported_as_a_fault(healthy: Resources):
    blocked = healthy.settings.data_dir / "blocked"
    blocked.write_text("")
    broken = replace(healthy, scratch_folder=blocked)
    assert str(blocked) in (faults(broken)["scratch"].remedy or "")
    assert isinstance(healthy.store, LocalStore)


def test_doctor_command_reports_a_missing_setting_and_exits_with_1(
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


def test_doctor_command_lists_the_findings(
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


def in_bucket(resources: Resources, url: str, server: str) -> dict[str, list[Finding]]:
    """Return the findings of an installation with a bucket, by check."""
    store = open_store(url, StoreOptions(server, is_path_style=True))
    return by_check(replace(resources, store=store))


def by_check(resources: Resources) -> dict[str, list[Finding]]:
    findings: dict[str, list[Finding]] = {}
    for finding in diagnose(resources):
        findings.setdefault(finding.check, []).append(finding)
    return findings


def test_usable_bucket_has_no_fault(healthy: Resources, s3_server: str, bucket: str):
    findings = in_bucket(healthy, f"s3://{bucket}/understudy", s3_server)
    assert not [finding for own in findings.values() for finding in own if finding.is_fault]
    assert [finding.detail for finding in findings["credentials"]] == [
        "The source of the credentials is env."
    ]
    assert [finding.detail for finding in findings["deletion"]] == ["The bucket keeps no deleted versions."]
    assert [finding.detail for finding in findings["unfinished uploads"]] == [
        "There are no unfinished multipart uploads."
    ]
    assert any("of the object store differs from" in finding.detail for finding in findings["clock"])
    assert any("is unknown" in finding.detail for finding in findings["disk space"])
    assert not any("planted-secret" in finding.detail for own in findings.values() for finding in own)


def test_check_of_a_bucket_leaves_no_blob_behind(healthy: Resources, s3_server: str, bucket: str):
    in_bucket(healthy, f"s3://{bucket}/understudy", s3_server)
    with urlopen(f"{s3_server}/{bucket}?list-type=2") as response:  # noqa: S310 - on loopback
        assert b".doctor" not in response.read()


def test_unfinished_uploads_and_versioning_of_a_bucket_are_reported(
    healthy: Resources, s3_server: str, bucket: str
):
    client = botocore.session.get_session().create_client("s3", "us-east-1", endpoint_url=s3_server)
    client.create_multipart_upload(Bucket=bucket, Key="understudy/a/b")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    findings = in_bucket(healthy, f"s3://{bucket}/understudy", s3_server)
    assert findings["unfinished uploads"][0].detail.startswith("Unfinished multipart uploads: 1.")
    assert "lifecycle rule" in (findings["deletion"][0].remedy or "")


def test_missing_bucket_is_reported_as_a_fault(healthy: Resources, s3_server: str, s3_credentials: None):
    findings = in_bucket(healthy, "s3://no-such-bucket", s3_server)
    assert any(finding.is_fault and "does not exist" in finding.detail for finding in findings["storage"])


def test_missing_credentials_are_reported_as_a_fault(
    healthy: Resources, s3_server: str, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    findings = in_bucket(healthy, f"s3://{bucket}", s3_server)
    assert findings["credentials"][0].is_fault
    assert "AWS_ACCESS_KEY_ID" in (findings["credentials"][0].remedy or "")


class RemoteMemory(MemoryStore):
    """A store that returns a given state."""

    state: RemoteState

    def inspect(self) -> RemoteState:
        """Return the state."""
        return self.state


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"skew_seconds": -3600.0}, "clock", "Synchronize the clock"),
        ({"is_conditional": False}, "storage", "If-None-Match"),
        ({"keeps_versions": None}, "deletion", "s3:GetBucketVersioning"),
        ({"n_partial": None}, "unfinished uploads", "s3:ListBucketMultipartUploads"),
        ({"n_partial": 3, "oldest_partial_seconds": 1e6}, "unfinished uploads", "Start a worker"),
    ],
)
def test_finding_about_an_unwanted_or_unknown_store_state_has_a_remedy(
    healthy: Resources, change: dict[str, Any], check: str, words: str
):
    usual = RemoteState("s3://b/ at x", "env", None, 0.0, True, False, 0)
    store = RemoteMemory()
    store.state = replace(usual, **change)
    findings = by_check(replace(healthy, store=store))
    assert any(words in (finding.remedy or "") for finding in findings[check])
    assert not any(finding.is_fault for finding in findings[check])
