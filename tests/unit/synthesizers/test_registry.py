"""A synthesizer is added with one file and one line; everything else is derived from its entry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.copied_project import add_line, copy_project, run
from understudy.synthesizers import SYNTHESIZERS
from understudy.synthesizers.base import SupportsConstraints, SupportsImputation

TOY = Path(__file__).with_name("toy_synthesizer.txt")
LAST_LINE = '    "understudy.synthesizers.independent",'

SHOW = """
import asyncio, json
from app.routes.catalogues import list_synthesizers
from understudy.parameters.train import TrainParameters
from understudy.synthesizers import synthesizer_entry
from workers.worker import PRELOAD

described = {entry.name: entry for entry in asyncio.run(list_synthesizers(None)).data}
train = TrainParameters.model_validate(
    {"kind": "train", "dataset_id": "ds_1", "synthesizer": {"name": "toy", "n_wheels": 3}}
)
cost = synthesizer_entry("toy").estimate(train.synthesizer, 10, 2)
print(json.dumps({
    "summary": described["toy"].summary,
    "wheels": described["toy"].parameters["properties"]["n_wheels"]["description"],
    "constraints": described["toy"].capabilities.constraints,
    "job": train.model_dump(mode="json")["synthesizer"],
    "in_schema": "ToyParameters" in json.dumps(TrainParameters.model_json_schema()),
    "cost": [cost.cpu_seconds, cost.memory_bytes, cost.model_bytes],
    "preload": "understudy.synthesizers.independent.synthesizer" in PRELOAD,
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with the toy synthesizer and its line in the registry."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    family = folder / "understudy" / "synthesizers"
    shutil.copyfile(TOY, family / "toy.py")
    add_line(family / "__init__.py", LAST_LINE, '    "understudy.synthesizers.toy",')
    return folder


def test_new_synthesizer_is_in_catalogue_jobs_estimates_and_preload(project: Path) -> None:
    assert json.loads(run(project, "-c", SHOW)) == {
        "summary": "A toy.",
        "wheels": "Number of wheels.",
        "constraints": False,
        "job": {"name": "toy", "n_wheels": 3},
        "in_schema": True,
        "cost": [10, 2, 3],
        "preload": True,
    }


def test_new_synthesizer_has_command_line_options(project: Path) -> None:
    (project / "table.csv").write_text("a,b\n" + "".join(f"{i % 7},x{i % 3}\n" for i in range(60)))
    options = ("--synthesizer", "toy", "--n-wheels", "3", "--seed", "1", "--json")
    fitted = json.loads(run(project, "-m", "understudy.cli", "fit", "table.csv", "-o", "toy.model", *options))
    assert fitted["card"]["synthesizer"] == "toy"
    assert "--n-wheels" in run(project, "-m", "understudy.cli", "fit", "--help")
    run(project, "-m", "understudy.cli", "sample", "toy.model", "-n", "5", "-o", "rows.csv")
    assert len((project / "rows.csv").read_text().splitlines()) == 6


def test_new_synthesizer_is_in_the_contract_tests(project: Path) -> None:
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contracts/test_synthesizers.py")
    every = run(project, *arguments, "-k", "toy", "--collect-only")
    independent = run(project, *arguments, "-k", "independent", "--collect-only")
    assert every.count("[toy") == independent.count("[independent") > 40
    chosen = "toy and (saved_models or same_seed or rare_levels or generated)"
    assert " passed" in run(project, *arguments, "-k", chosen)


@pytest.mark.parametrize("name", list(SYNTHESIZERS))
def test_declared_capabilities_match_the_class(name: str) -> None:
    entry = SYNTHESIZERS[name]
    made = entry.load()(entry.parameters.model_validate({"name": name}))
    assert isinstance(made, SupportsConstraints) == entry.capabilities.constraints
    assert isinstance(made, SupportsImputation) == entry.capabilities.imputation
    assert made.name == name


def test_registry_imports_neither_arrow_nor_numpy() -> None:
    code = "import sys, understudy.synthesizers; sys.exit(bool({'pyarrow', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
