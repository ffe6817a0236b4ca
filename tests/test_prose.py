"""The reader of the project's prose finds it, and finds its faults."""

from __future__ import annotations

import pytest

from tests import prose
from tests.prose import Passage, banned_words, faults, html_prose, markdown_prose, openapi_prose, python_prose

SOURCE = '''"""Read tables."""

LIMIT = 3  # Maximum number of rows.


def test_second_delivery_does_nothing():
    """Return nothing.

    Parameters
    ----------
    rows : int
        Number of rows.
    """
    value = "not prose"
    raise ValueError(f"Column {value!r} has no rows. Add one.")
'''


def test_prose_of_python_is_found_with_its_kind() -> None:
    found = {(kind, " ".join(text.split())) for _, kind, text in python_prose(SOURCE)}
    assert found == {
        ("docstring", "Read tables."),
        ("docstring", "Return nothing."),
        ("docstring", "Number of rows."),
        ("comment", "Maximum number of rows."),
        ("test", "second delivery does nothing"),
        ("error", "Column {…} has no rows. Add one."),
    }


def test_code_blocks_of_markdown_are_not_prose() -> None:
    page = "# Title\n\nFirst line\nsecond line.\n\n```sh\nmake test\n```\n\n| a cell | another |\n"
    assert [text.strip() for _, _, text in markdown_prose(page)] == [
        "Title",
        "First line second line.",
        "a cell",
        "another",
    ]


def test_scripts_styles_and_tags_of_templates_are_not_prose() -> None:
    page = '<style>a { b }</style><p class="x">{% if a %}Some {{ n }} rows{% endif %}</p>'
    assert [text.strip() for _, _, text in html_prose(page)] == ["Some {…} rows"]


def test_summaries_and_descriptions_of_openapi_are_prose() -> None:
    document = '{"info": {"title": "T", "description": "A text."}, "paths": {"/a": {"summary": "List a."}}}'
    assert [text for _, _, text in openapi_prose(document)] == [
        "#/info/description: A text.",
        "#/paths/~1a/summary: List a.",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("comment", "The rows are drawn anew.", "anew"),
        ("markdown", "This is no table.", "is no table"),
        ("docstring", "Of every random choice.", "Of"),
        ("openapi", "#/a/description: What the job reads.", "What"),
    ],
)
def test_a_fault_is_found(kind: str, text: str, fault: str) -> None:
    assert faults(Passage("a.py", 1, kind, text), banned_words()) == [fault]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("markdown", "`file.seek(0)` rewinds the file."),
        ("docstring", "What if it fails?"),
        ("comment", "Of two writers, one wins."),
        ("docstring", "Office hours."),
    ],
)
def test_good_prose_has_no_fault(kind: str, text: str) -> None:
    assert faults(Passage("a.py", 1, kind, text), banned_words()) == []


def test_a_sample_is_repeatable_and_has_the_requested_size(capsys: pytest.CaptureFixture[str]) -> None:
    samples = []
    for _ in range(2):
        prose.main(["sample", "tests/prose.py", "--seed", "3", "-n", "5"])
        samples.append(capsys.readouterr().out)
    assert samples[0] == samples[1]
    assert len(samples[0].splitlines()) == 5
