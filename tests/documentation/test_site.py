"""Tests that the reference pages of the site are complete."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

import understudy
from tests.documentation.blocks import ROOT
from understudy.cli.commands import COMMANDS
from understudy.evaluation.metrics import METRICS

pytest.importorskip("pydantic_settings", reason="the extra `service` is not installed")

from tools.documentation.command_pages import options_page
from tools.documentation.http_pages import bodies_page, operations, operations_page, report_page
from tools.documentation.settings_page import settings_page
from understudy.settings import Settings

OPENAPI = json.loads((ROOT / "openapi.json").read_text())
REPORT_SCHEMA = json.loads((ROOT / "docs" / "reference" / "report.schema.json").read_text())


def anchors(page: str) -> set[str]:
    """Return the explicit heading anchors on a page."""
    return set(re.findall(r"^#+ .*\{ #(\S+) \}$", page, re.MULTILINE))


def test_the_python_page_lists_every_public_name():
    page = (ROOT / "docs" / "reference" / "python-api.md").read_text()
    listed = re.findall(r"^::: understudy\.(\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(understudy.__all__)


def test_every_metric_links_to_a_heading_of_the_page_on_metrics():
    headings = anchors((ROOT / "docs" / "reference" / "metrics.md").read_text())
    addresses = [metric.documentation for metric in METRICS.values()]
    assert len(addresses) > 30
    assert [address for address in addresses if address.partition("metrics.html#")[2] not in headings] == []


def test_every_page_that_the_product_links_to_exists():
    sources = "\n".join(path.read_text() for path in (ROOT / "understudy").rglob("*.py"))
    pages = re.findall(r'docs_link\("([^"]+)"', sources)
    assert pages
    assert [page for page in pages if not (ROOT / "docs" / f"{page}.md").exists()] == []


def test_linked_pages_of_the_documentation_exist():
    linked = {
        page
        for path in (ROOT / "understudy").rglob("*.py")
        for page in re.findall(r'docs_link\("([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert linked >= {"reference/metrics", "explanation/privacy"}
    assert [page for page in linked if not (ROOT / "docs" / f"{page}.md").is_file()] == []


def test_the_page_of_operations_has_a_section_for_each_operation():
    ids = {operation["operationId"] for _, _, operation in operations(OPENAPI)}
    assert len(ids) > 30
    assert ids <= anchors(operations_page(OPENAPI, REPORT_SCHEMA))


def test_every_schema_of_the_api_has_a_section():
    sections = anchors(bodies_page(OPENAPI, REPORT_SCHEMA)) | anchors(report_page(REPORT_SCHEMA))
    assert set(OPENAPI["components"]["schemas"]) <= sections


def test_the_page_of_settings_lists_every_variable():
    variables = re.findall(r"^\| `(UNDERSTUDY_\w+)` \|", settings_page(), re.MULTILINE)
    assert variables == [f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields]


def test_the_page_of_command_line_options_has_a_section_for_each_command():
    assert {command.name for command in COMMANDS} <= anchors(options_page())


def test_a_default_in_bytes_is_also_shown_with_its_unit():
    assert "| `4294967296` (4 GiB) |" in settings_page()


def test_a_default_in_seconds_is_also_shown_with_its_unit():
    assert "| `604800` (7 days) |" in settings_page()


@pytest.mark.parametrize(
    ("tag", "is_loaded"),
    [
        ('<script async src="https://host/a.js">', True),
        ('<link rel="stylesheet" href="https://host/a.css">', True),
        ('<link rel="canonical" href="https://host/page.html">', False),
        ('<a href="https://host/page.html">', False),
        ('<script src="../assets/a.js">', False),
    ],
)
def test_a_resource_loaded_from_the_network_is_detected(tag: str, is_loaded: bool):
    hooks = pytest.importorskip("tools.documentation.hooks", reason="MkDocs is not installed")
    assert bool(hooks.REMOTE_RESOURCE.search(tag)) == is_loaded


@pytest.mark.parametrize(
    "tag", ['<script async src="https://host/a.js">', "<img alt=logo src=https://host/a.js>"]
)
def test_the_error_for_a_remote_resource_contains_its_url(tag: str):
    hooks = pytest.importorskip("tools.documentation.hooks", reason="MkDocs is not installed")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    with pytest.raises(hooks.PluginError, match=r"^index\.md loads https://host/a\.js from the network\. "):
        hooks.on_post_page(f"<p>{tag}</p>", page=page)
