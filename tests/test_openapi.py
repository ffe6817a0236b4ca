"""Tests that the OpenAPI document is current, valid, well described, and suitable for client generators."""

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
# These one-word names are unambiguous in this API. Every other name needs a qualifying word.
ONE_WORD_NAMES = {
    *(
        "Dataset",
        "Event",
        "Job",
        "Pipeline",
        "Policy",
        "Problem",
        "Project",
        "Report",
        "Upload",
        "Verdict",
        "Webhook",
    )
}
# These words have no meaning in the domain. A name must contain at least one other word.
GENERIC_WORDS = {
    *("Any", "Base", "Body", "Data", "Detail", "Details", "Entry", "Error", "Group", "Info", "Input", "Item"),
    *("Kind", "List", "Map", "Model", "Name", "Object", "Option", "Options", "Output", "Page", "Parameters"),
    *("Payload", "Record", "Request", "Response", "Result", "Schema", "Score", "Scores", "Status", "Summary"),
    *("Type", "Value", "Values"),
}
IN_V1 = [name for name, (path, _, _) in OPERATIONS.items() if path.startswith("/v1/")]
# A description that begins with one of these words is a fragment.
FRAGMENT_STARTS = {
    *(
        "After",
        "And",
        "As",
        "At",
        "Because",
        "Before",
        "Beside",
        "Beyond",
        "But",
        "By",
        "Else",
        "For",
        "From",
    ),
    *("How", "If", "In", "Instead", "Left", "Like", "Needed", "Nor", "Not", "Of", "On", "Only", "Or", "Out"),
    *(
        "Since",
        "So",
        "Than",
        "That",
        "Those",
        "To",
        "Unless",
        "Until",
        "What",
        "When",
        "Where",
        "Which",
        "Who",
    ),
    *("Whose", "Why", "With", "Without"),
}
SIZE_BYTES_MAX = 300_000


def nodes(node: Any, path: str = ""):
    """Yield every object of the document with its path, except objects in examples."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            if key not in ("example", "examples"):
                yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{path}/{index}")


def resolved(response: dict[str, Any]) -> dict[str, Any]:
    """Return the response that a reference refers to, or the response itself."""
    if "$ref" not in response:
        return response
    return DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]


def parameters_of(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of an operation, with references to shared parameters resolved."""
    shared = DOCUMENT["components"]["parameters"]
    return [
        shared[parameter["$ref"].rsplit("/", 1)[1]] if "$ref" in parameter else parameter
        for parameter in operation.get("parameters", [])
    ]


def is_boolean(node: dict[str, Any]) -> bool:
    schema = node.get("schema", node)
    types = schema.get("type", [])
    return "boolean" in ([types] if isinstance(types, str) else types)


def description_problem(node: dict[str, Any]) -> str | None:
    """Return the fault in an object's description, or None if there is no fault."""
    text = node["description"].strip()
    first = re.match(r"[\w'-]+", text)
    if not re.match(r"[A-Z`]", text):
        return "does not start with a capital letter"
    if not text.endswith("."):
        return "does not end with a period"
    if len(text.split()) < 3:
        return "has fewer than three words"
    if first and first[0] in FRAGMENT_STARTS:
        return f"begins with {first[0]!r}"
    if first and first[0] == "Whether" and not is_boolean(node):
        return "begins with 'Whether' although the field is not a boolean"
    return None


def test_the_openapi_document_is_current():
    current = document_text()
    assert (ROOT / "openapi.json").read_text() == current, "run `make openapi`"


def test_the_openapi_document_does_not_exceed_its_maximum_size():
    assert (ROOT / "openapi.json").stat().st_size <= SIZE_BYTES_MAX


def test_descriptions_are_sentences_or_noun_phrases():
    problems = [
        f"{path}: {node['description']!r} {problem}"
        for path, node in nodes(DOCUMENT)
        if isinstance(node.get("description"), str) and (problem := description_problem(node))
    ]
    assert problems == []


def test_summaries_are_capitalized_phrases():
    for path, node in nodes(DOCUMENT):
        if isinstance(summary := node.get("summary"), str):
            assert re.fullmatch(r"[A-Z]\w*( \S+)+[^.]", summary), path
            assert summary.split()[0] not in FRAGMENT_STARTS | {"Whether"}, path


def test_document_is_valid_openapi():
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_reference_resolves():
    references = {node["$ref"] for _, node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    components = DOCUMENT["components"]
    assert references <= {
        f"#/components/{section}/{name}"
        for section in ("schemas", "responses", "parameters", "headers", "examples")
        for name in components[section]
    }


def test_every_shared_response_is_used():
    used = {node["$ref"] for _, node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert {f"#/components/responses/{name}" for name in DOCUMENT["components"]["responses"]} <= used


def test_no_parameter_of_a_query_or_header_is_nullable():
    for _, _, operation in OPERATIONS.values():
        for parameter in parameters_of(operation):
            assert "null" not in json.dumps(parameter["schema"])


def test_operations_have_the_specified_names():
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
        *("create_job", "validate_job", "list_jobs", "get_job", "update_job", "delete_job"),
        *("cancel_job", "retry_job", "list_job_events", "stream_job_events"),
        *("list_models", "get_model", "update_model", "delete_model", "download_model", "sample_rows"),
        *("create_pipeline", "validate_pipeline", "list_pipelines", "get_pipeline", "update_pipeline"),
        "cancel_pipeline",
        *("list_reports", "get_report", "update_report", "delete_report", "download_report"),
        *(
            "release_dataset",
            "download_evidence",
            "get_project",
            "update_project",
            "delete_project",
            "list_policies",
        ),
        *("create_api_key", "list_api_keys", "get_api_key", "update_api_key", "rotate_api_key"),
        *("revoke_api_key", "create_project", "list_projects", "get_managed_project"),
        *("update_managed_project", "delete_managed_project", "create_project_api_key"),
        *("list_events", "create_webhook", "list_webhooks", "get_webhook", "update_webhook"),
        *("delete_webhook", "rotate_webhook_secret", "test_webhook"),
        *("list_webhook_deliveries", "redeliver_event"),
        *("get_usage", "list_synthesizers", "list_metrics", "healthz", "readyz"),
    }


def test_no_framework_names_appear_in_the_document():
    names = DOCUMENT["components"]["schemas"]
    assert not [name for name in names if "__" in name or name.startswith("Body_") or "Validation" in name]
    assert [place for place, node in nodes(DOCUMENT) if isinstance(node.get("title"), str)] == ["/info"]


def test_no_component_has_a_generic_name():
    words = {name: re.findall(r"[A-Z][a-z0-9]*", name) for name in COMPONENTS}
    assert {name for name, parts in words.items() if len(parts) == 1} <= ONE_WORD_NAMES
    assert [name for name, parts in words.items() if set(parts) <= GENERIC_WORDS] == []


def test_no_component_is_named_after_its_module_or_its_direction():
    # Pydantic uses `understudy__tables__Column` if two classes have the same name, and `Column-Input` if a
    # class has different fields for input and output.
    assert [name for name in COMPONENTS if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name)] == []
    assert [name for name in COMPONENTS if name.endswith(("Input", "Output"))] == []


def test_unions_are_named_and_their_tags_are_required():
    unions = [(place, node) for place, node in nodes(DOCUMENT) if "discriminator" in node]
    assert {place.rsplit("/", 1)[0] for place, _ in unions} == {"/components/schemas"}
    for _, union in unions:
        tag = union["discriminator"]["propertyName"]
        for member in union["oneOf"]:
            schema = DOCUMENT["components"]["schemas"][member["$ref"].rsplit("/", 1)[1]]
            assert tag in schema["required"] or "default" in schema["properties"][tag]


def test_uploaded_files_are_binary():
    form = DOCUMENT["components"]["schemas"]["UploadDatasetForm"]
    assert form["properties"]["file"]["items"]["format"] == "binary"


@pytest.mark.parametrize("name", IN_V1)
def test_operation_is_described_and_requires_a_key(name: str):
    _, _, operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert operation.get("security", DOCUMENT["security"]) == [{"api_key": []}]
    assert {"401", "403", "500", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("name", IN_V1)
def test_every_error_response_of_an_operation_is_a_problem_document(name: str):
    for status, response in OPERATIONS[name][2]["responses"].items():
        if status >= "400":
            assert list(resolved(response)["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("name", [name for name in IN_V1 if OPERATIONS[name][1] == "post"])
def test_every_post_accepts_an_idempotency_key(name: str):
    assert "Idempotency-Key" in {parameter["name"] for parameter in parameters_of(OPERATIONS[name][2])}


@pytest.mark.parametrize("name", [name for name in IN_V1 if OPERATIONS[name][1] in ("patch", "delete")])
def test_every_patch_and_delete_operation_accepts_if_match(name: str):
    operation = OPERATIONS[name][2]
    assert "If-Match" in {parameter["name"] for parameter in parameters_of(operation)}
    assert "412" in operation["responses"]


@pytest.mark.parametrize("name", [name for name in IN_V1 if OPERATIONS[name][1] == "get"])
def test_every_get_operation_has_an_etag_except_event_streams(name: str):
    operation = OPERATIONS[name][2]
    if name != "stream_job_events":
        assert "If-None-Match" in {parameter["name"] for parameter in parameters_of(operation)}
        assert "ETag" in operation["responses"]["200"]["headers"]


def test_json_is_the_first_media_type_and_every_json_body_has_an_example():
    for _, _, operation in OPERATIONS.values():
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            types = list(body.get("content", {}))
            assert "application/json" not in types[1:]
            for content in body.get("content", {}).values():
                is_file = content["schema"].get("format") == "binary" or "multipart" in str(types)
                assert is_file or {"example", "examples"} & content.keys() or "text/html" in types


def test_webhook_section_declares_the_request_that_delivers_an_event():
    operation = DOCUMENT["webhooks"]["event"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Event"}
    assert content["example"]["id"].startswith("evt_")
    assert {parameter["name"] for parameter in operation["parameters"]} == {
        *("webhook-id", "webhook-timestamp", "webhook-signature")
    }


def test_arrays_declare_their_items():
    arrays = [node for _, node in nodes(DOCUMENT) if node.get("type") == "array"]
    assert all("items" in node for node in arrays)


def test_every_id_has_a_pattern():
    for _, _, operation in OPERATIONS.values():
        for parameter in parameters_of(operation):
            if parameter["name"].endswith("_id"):
                assert parameter["schema"]["pattern"].startswith("^")


def documented_codes() -> dict[str, str]:
    """Return the status column of docs/reference/errors.md by error code."""
    rows = re.findall(
        r"^\| `(\w+)` \| ([\w, ]+) \|", (ROOT / "docs" / "reference" / "errors.md").read_text(), re.MULTILINE
    )
    return dict(rows)


def test_every_error_code_is_documented():
    assert sorted(documented_codes()) == sorted(errors.CODES)


def test_documented_error_statuses_match_the_code():
    documented = documented_codes()
    by_class = {cls.default_code: status for cls, status in STATUSES.items()}
    for code, status in {**by_class, **CODE_STATUSES}.items():
        assert str(status) in documented[code].split(", "), code
