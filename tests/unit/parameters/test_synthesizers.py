"""Tests for synthesizer parameters that are a field of other parameters."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from understudy.parameters.synthesizers import AnySynthesizer
from understudy.synthesizers import SYNTHESIZERS


class Holder(BaseModel):
    synthesizer: AnySynthesizer


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_parameters_of_every_registered_synthesizer_are_accepted_and_kept(name):
    held = Holder.model_validate({"synthesizer": {"name": name}})
    assert type(held.synthesizer) is SYNTHESIZERS[name].parameters
    assert Holder.model_validate_json(held.model_dump_json()) == held


def test_error_for_an_unknown_synthesizer_lists_the_known_ones():
    with pytest.raises(ValidationError, match=f"expected tags: '{next(iter(SYNTHESIZERS))}'"):
        Holder.model_validate({"synthesizer": {"name": "unknown"}})


def test_error_names_the_field_of_the_synthesizer():
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate({"synthesizer": {"name": "independent", "surplus": 1}})
    assert [error["loc"] for error in caught.value.errors()] == [("synthesizer", "independent", "surplus")]


def test_the_json_schema_lists_every_registered_synthesizer():
    schema = TypeAdapter(Holder).json_schema()["properties"]["synthesizer"]
    assert set(schema["discriminator"]["mapping"]) == set(SYNTHESIZERS)
