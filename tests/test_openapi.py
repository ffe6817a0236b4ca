"""The contract with callers: current, valid, and such that generated clients are good ones."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.error_handlers import CODE_STATUSES, STATUSES
from app.openapi import document_text
from understudy import errors

ROOT = Path(__file__).parent.parent
DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text())
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
COMPONENTS = set(DOCUMENT["components"]["schemas"])
# The API's own nouns, each the only one of its kind; every other name needs a word that says whose it is.
ONE_WORD_NAMES = {"Dataset", "Job", "Policy", "Problem", "Project", "Report", "Upload", "Verdict"}
# Words that say nothing about the domain, so that two of them still name nothing.
GENERIC_WORDS = {
    *("Any", "Base", "Body", "Data", "Detail", "Details", "Entry", "Error", "Group", "Info", "Input", "Item"),
    *("Kind", "List", "Map", "Model", "Name", "Object", "Option", "Options", "Output", "Page", "Parameters"),
    *("Payload", "Record", "Request", "Response", "Result", "Schema", "Score", "Scores", "Status", "Summary"),
    *("Type", "Value", "Values"),
}
IN_V1 = [name for name, (path, _, _) in OPERATIONS.items() if path.startswith("/v1/")]


def nodes(node: Any, path: str = ""):
    """Yield every object of the document with its place."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{path}/{index}")


def test_the_file_is_current():
    current = document_text()
    assert (ROOT / "openapi.json").read_text() == current, "run `make openapi`"


def test_it_is_valid_openapi():
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere():
    references = {node["$ref"] for _, node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert {ref.rsplit("/", 1)[1] for ref in references} <= set(DOCUMENT["components"]["schemas"])


def test_operations_bear_the_names_of_the_design():
    assert set(OPERATIONS) == {
        *("upload_dataset", "list_datasets", "get_dataset", "update_dataset", "delete_dataset"),
        *(
            "get_schema",
            "update_schema",
            "get_sdv_metadata",
            "apply_sdv_metadata",
            "get_profile",
            "download_dataset",
            "download_rejects",
        ),
        *(
            "create_upload",
            "list_uploads",
            "get_upload",
            "put_upload_part",
            "complete_upload",
            "delete_upload",
        ),
        *("create_job", "list_jobs", "get_job", "cancel_job", "retry_job", "list_job_events"),
        *("list_models", "get_model", "delete_model", "list_reports", "get_report"),
        *("release_dataset", "download_evidence", "get_project", "update_project", "list_policies"),
        *("list_synthesizers", "list_metrics", "healthz", "readyz"),
    }


def test_no_framework_names_leak_into_clients():
    names = DOCUMENT["components"]["schemas"]
    assert not [name for name in names if "__" in name or name.startswith("Body_") or "Validation" in name]
    assert [place for place, node in nodes(DOCUMENT) if isinstance(node.get("title"), str)] == ["/info"]


def test_no_component_has_a_generic_name():
    words = {name: re.findall(r"[A-Z][a-z0-9]*", name) for name in COMPONENTS}
    assert {name for name, parts in words.items() if len(parts) == 1} <= ONE_WORD_NAMES
    assert [name for name, parts in words.items() if set(parts) <= GENERIC_WORDS] == []


def test_no_component_is_named_after_its_module_or_its_direction():
    # Pydantic writes `understudy__tables__Column` where two classes share a name, and `Column-Input` where
    # a class reads and writes different fields.
    assert [name for name in COMPONENTS if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name)] == []
    assert [name for name in COMPONENTS if name.endswith(("Input", "Output"))] == []


def test_unions_are_named_and_their_tags_required():
    unions = [(place, node) for place, node in nodes(DOCUMENT) if "discriminator" in node]
    assert {place.rsplit("/", 1)[0] for place, _ in unions} == {"/components/schemas"}
    for _, union in unions:
        tag = union["discriminator"]["propertyName"]
        for member in union["oneOf"]:
            schema = DOCUMENT["components"]["schemas"][member["$ref"].rsplit("/", 1)[1]]
            assert tag in schema["required"] or "default" in schema["properties"][tag]


def test_uploads_are_binary():
    form = DOCUMENT["components"]["schemas"]["UploadDatasetForm"]
    assert form["properties"]["file"]["items"]["format"] == "binary"


@pytest.mark.parametrize("name", IN_V1)
def test_an_operation_is_described_and_needs_a_key(name: str):
    _, _, operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert operation["security"] == [{"api_key": []}]
    assert {"401", "403", "500", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("name", IN_V1)
def test_every_error_of_an_operation_is_a_problem(name: str):
    for status, response in OPERATIONS[name][2]["responses"].items():
        if status >= "400":
            assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("name", [name for name in IN_V1 if OPERATIONS[name][1] == "post"])
def test_every_post_takes_an_idempotency_key(name: str):
    assert "Idempotency-Key" in {parameter["name"] for parameter in OPERATIONS[name][2]["parameters"]}


def documented_codes() -> dict[str, str]:
    """Return the status column of docs/reference/errors.md, by code."""
    rows = re.findall(
        r"^\| `(\w+)` \| ([\w, ]+) \|", (ROOT / "docs" / "reference" / "errors.md").read_text(), re.MULTILINE
    )
    return dict(rows)


def test_every_error_code_is_documented():
    assert sorted(documented_codes()) == sorted(errors.CODES)


def test_documented_statuses_are_those_of_the_tables():
    documented = documented_codes()
    by_class = {cls.default_code: status for cls, status in STATUSES.items()}
    for code, status in {**by_class, **CODE_STATUSES}.items():
        assert str(status) in documented[code].split(", "), code
