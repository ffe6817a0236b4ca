"""Tests for workbooks over HTTP: sheet selection, and downloads that exceed the limits of a workbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, upload
from tests.hostile.workbooks import archive, listing, parts, relationships, row, table
from understudy.resources import Resources
from understudy.tables.formats import read_table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def two_sheets() -> bytes:
    """Return a workbook with the sheets First and Second."""
    found = parts(table(row(2, "1", "2")))
    found["xl/workbook.xml"] = listing(
        '<sheet name="First" r:id="worksheet"/>', '<sheet name="Second" r:id="second"/>'
    )
    links = relationships(worksheet="worksheets/sheet1.xml", second="second.xml")
    found["xl/_rels/workbook.xml.rels"] = links.replace('/second"', '/worksheet"')
    found["xl/second.xml"] = table(row(2, "3", "4"))
    return archive(found)


def rows_of(client: TestClient, dataset_id: str, folder: Path) -> dict[str, list[object]]:
    """Download a dataset as a workbook, and return its rows."""
    response = client.get(f"/v1/datasets/{dataset_id}/content?format=xlsx")
    assert response.status_code == 200
    assert response.headers["content-disposition"].endswith('.xlsx"')
    (folder / "rows.xlsx").write_bytes(response.content)
    return read_table(folder / "rows.xlsx").to_pydict()


@pytest.mark.parametrize(("sheet", "rows"), [(None, {"a": [1], "b": [2]}), ("Second", {"a": [3], "b": [4]})])
def test_sheet_is_selected_by_name_and_defaults_to_the_first_sheet(
    client: TestClient,
    run_jobs: Callable[[], int],
    tmp_path: Path,
    sheet: str | None,
    rows: dict[str, list[object]],
):
    form = {"sheet": sheet} if sheet else {}
    query = f"?sheet={sheet}" if sheet else ""
    as_form = client.post("/v1/datasets", files={"file": ("a.xlsx", two_sheets())}, data=form)
    bare = client.post(f"/v1/datasets{query}", content=two_sheets(), headers={"Content-Type": MEDIA_TYPE})
    run_jobs()
    for response in (as_form, bare):
        assert response.json()["dataset"]["format"] == "xlsx"
        assert rows_of(client, response.json()["dataset"]["id"], tmp_path) == rows


def test_unknown_sheet_fails_the_job_and_the_error_lists_the_sheets(
    client: TestClient, run_jobs: Callable[[], int]
):
    response = client.post("/v1/datasets", files={"file": ("a.xlsx", two_sheets())}, data={"sheet": "Third"})
    run_jobs()
    error = get(client, f"/v1/jobs/{response.json()['job']['id']}")["error"]
    assert error["code"] == "invalid_parameters"
    assert "'First', 'Second'" in error["detail"]


def test_rows_are_restored_from_a_workbook(
    client: TestClient, ready_dataset: Json, small_table: pa.Table, tmp_path: Path
):
    assert rows_of(client, ready_dataset["id"], tmp_path) == small_table.to_pydict()


@pytest.mark.parametrize("method", ["get", "head"])
def test_download_of_more_rows_than_a_sheet_can_store_is_rejected_before_the_response(
    client: TestClient, resources: Resources, ready_dataset: Json, method: str
):
    with resources.sessions.begin() as session:
        session.execute(text("update dataset_tables set n_rows = 1048576"))
    response = getattr(client, method)(f"/v1/datasets/{ready_dataset['id']}/content?format=xlsx")
    assert response.status_code == 422
    if method == "get":
        assert_problem(response, 422, "too_many_rows", "1,048,575")


def test_download_of_a_text_too_long_for_a_cell_is_rejected_before_the_response(
    client: TestClient, run_jobs: Callable[[], int]
):
    data = b"a\n" + b"x\n" * 200_000 + b"x" * 32_768 + b"\n"
    uploaded = upload(client, data)
    run_jobs()
    response = client.get(f"/v1/datasets/{uploaded['dataset']['id']}/content?format=xlsx")
    assert_problem(response, 422, "too_large", "Column 'a'")
