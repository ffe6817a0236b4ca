"""Tests for choosing a preset by time budget."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.one_table import fit
from tests.unit.synthesizers.tables import related_columns
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain


def fitted(seconds: float) -> TreeChain:
    parameters = TreeChainParameters(name="tree_chain", time_budget_seconds=seconds)
    return fit(TreeChain(parameters), *related_columns(500))


def test_large_budget_selects_the_best_preset() -> None:
    card = fitted(3600).card()
    assert card["preset"] == "best"
    assert not [w for w in card["warnings"] if "time budget" in w]


def test_small_budget_selects_the_fast_preset_with_a_warning() -> None:
    card = fitted(1e-6).card()
    assert card["preset"] == "fast"
    assert [w for w in card["warnings"] if "time budget" in w]


def test_selected_preset_survives_save_and_load(tmp_path: Path) -> None:
    chain = fitted(1e-6)
    save_model(chain, tmp_path / "model")
    assert load_model(tmp_path / "model")[0].card() == chain.card()


@pytest.mark.parametrize("fields", [{"preset": "fast", "time_budget_seconds": 5}, {"time_budget_seconds": 0}])
def test_invalid_parameters_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TreeChainParameters.model_validate({"name": "tree_chain", **fields})


@pytest.mark.parametrize("fields", [{}, {"preset": "best"}, {"time_budget_seconds": 5.0}])
def test_parameters_survive_a_round_trip_through_json(fields: dict[str, object]) -> None:
    parameters = TreeChainParameters.model_validate({"name": "tree_chain", **fields})
    assert TreeChainParameters.model_validate(parameters.model_dump(mode="json")) == parameters
    text = parameters.model_dump_json(exclude_none=True)
    assert TreeChainParameters.model_validate_json(text) == parameters
