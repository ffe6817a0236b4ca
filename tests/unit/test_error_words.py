"""Tests that error messages of the API use the JSON names of types."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.error_handlers import in_json


@pytest.mark.parametrize(
    "type_", [tuple[str, ...], list[str], set[str], frozenset[str], dict[str, int]], ids=str
)
def test_messages_about_python_types_use_json_names(type_: object):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(type_).validate_python("text")
    message = in_json(caught.value.errors()[0]["msg"])
    assert message == f"Input should be a valid {'object' if type_ == dict[str, int] else 'array'}"


def test_messages_about_lengths_use_json_names():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(tuple[int, int, int]).validate_python(5)
    assert in_json(caught.value.errors()[0]["msg"]) == "Input should be a valid array"
    assert in_json("Tuple should have at most 2 items after validation, not 3").startswith("Array should")
    assert in_json("Dictionary should have at least 1 item").startswith("Object should")
    assert (
        in_json("Input should be a valid dictionary or instance of Where") == "Input should be a valid object"
    )
