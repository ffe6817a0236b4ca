"""Tests that the examples in public docstrings run and produce the documented output."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from typing import Any

import pytest

import understudy


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
def test_example_produces_the_documented_output(
    example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(example, out=output.append).failed == 0, "".join(output)
