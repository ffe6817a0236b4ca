"""The examples in public docstrings and in docs/how-to/python.md run and produce the output they show."""

from __future__ import annotations

import contextlib
import doctest
import inspect
import io
import re
from pathlib import Path
from typing import Any

import pytest

import understudy

ROOT = Path(__file__).parent.parent.parent
# A block of Python code, and the block with its output, if there is one.
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def functions() -> dict[str, Any]:
    """Return the public functions, and the public methods of the model and the report."""
    public = {name: getattr(understudy, name) for name in understudy.__all__}
    methods = {
        f"{class_.__name__}.{name}": method
        for class_ in (understudy.Model, understudy.Report)
        for name, method in vars(class_).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    return {name: value for name, value in (public | methods).items() if inspect.isfunction(value)}


def examples() -> list[doctest.DocTest]:
    """Return the examples of the package, the class `Model` and every public function."""
    finder = doctest.DocTestFinder(recurse=False)
    documented = {"understudy": understudy, "Model": understudy.Model, **functions()}
    return [test for name, value in documented.items() for test in finder.find(value, name)]


@pytest.mark.parametrize("name", functions())
def test_every_public_function_has_an_example(name: str):
    assert ">>>" in functions()[name].__doc__


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example_produces_the_output_it_shows(
    example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(example, out=output.append).failed == 0, "".join(output)


def test_python_page_produces_the_output_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = BLOCK.findall((ROOT / "docs" / "how-to" / "python.md").read_text())
    assert len(blocks) > 5
    for source, shown in blocks:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(source, "docs/how-to/python.md", "exec"), names)  # noqa: S102 - a page of this repository
        assert output.getvalue().split() == shown.split(), source
