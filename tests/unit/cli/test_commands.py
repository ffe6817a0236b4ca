"""Tests for the list of commands."""

from __future__ import annotations

import inspect

import pytest

from understudy.cli.commands import COMMANDS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_summary_of_a_command_is_the_first_line_of_its_docstring(command):
    docstring = inspect.getdoc(command.function())
    assert docstring is not None
    assert docstring.splitlines()[0] == command.summary
