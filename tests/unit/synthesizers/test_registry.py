"""Tests that a new synthesizer needs only one folder and one line in the registry."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.how_to.pages import ROOT, build, copy_project, run
from understudy.synthesizers import SYNTHESIZERS
from understudy.synthesizers.base import SupportsConstraints, SupportsImputation

PAGE = ROOT / "docs" / "how-to" / "add-a-synthesizer.md"

SHOW = """
import asyncio, json
from app.routes.catalogues import list_synthesizers
from understudy.parameters.train import TrainParameters
from understudy.synthesizers import synthesizer_entry

described = {entry.name: entry for entry in asyncio.run(list_synthesizers(None)).data}
train = TrainParameters.model_validate(
    {"kind": "train", "dataset_id": "ds_1", "synthesizer": {"name": "tempered", "flatness": 0.5}}
)
cost = synthesizer_entry("tempered").estimate(train.synthesizer, 1000, 2)
print(json.dumps({
    "summary": described["tempered"].summary,
    "bounds": described["tempered"].parameters["properties"]["flatness"]["maximum"],
    "constraints": described["tempered"].capabilities.constraints,
    "job": train.model_dump(mode="json")["synthesizer"],
    "in_schema": "TemperedParameters" in json.dumps(TrainParameters.model_json_schema()),
    "cost": cost.memory_bytes > 0,
}))
"""


def test_new_synthesizer_is_available_in_the_catalog_and_in_jobs_and_in_estimates(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    build(PAGE, project)
    code = shlex.quote(SHOW)
    assert json.loads(run(f"python -c {code}", project)) == {
        "summary": "Draw each column independently, with flattened frequencies.",
        "bounds": 1,
        "constraints": False,
        "job": {"name": "tempered", "flatness": 0.5},
        "in_schema": True,
        "cost": True,
    }


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
