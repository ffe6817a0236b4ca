"""The page of commands and options, generated from the command-line declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from tools.documentation.markdown import code, table, text
from understudy.cli.application import build
from understudy.cli.commands import COMMANDS

INTRODUCTION = """\
# Command options

This page lists every command with its arguments and options, as `understudy COMMAND --help` prints them.
The [guide](cli.md) explains how they work together.
"""
# Larger bounds are limits of 64-bit numbers, not of the option, and are not shown.
BOUND_SHOWN_MAX = 1 << 53
Parameter = Any  # `Any` is a parameter of Typer, which does not export the class.


def options_page() -> str:
    """Return the page that lists every command."""
    parts = [INTRODUCTION]
    panels = dict.fromkeys(command.panel for command in COMMANDS)
    for panel in panels:
        parts.append(f"## {panel}")
        parts += [_command_section(command.name) for command in COMMANDS if command.panel == panel]
    return "\n\n".join(parts) + "\n"


def _command_section(name: str) -> str:
    command = typer.main.get_command(build(name)).commands[name]  # type: ignore[attr-defined]
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    usage = " ".join(["understudy", name, *map(_argument_usage, arguments), *(["[OPTIONS]"] * bool(options))])
    parts = [f"### {code(name)} {{ #{name} }}", f"```text\n{usage}\n```", _paragraphs(command.help or "")]
    if arguments:
        parts.append(
            table(
                ("Argument", "Description"),
                [(code(_argument_name(argument)), text(argument.help or "")) for argument in arguments],
            )
        )
    if options:
        parts.append(table(("Option", "Description"), map(_option_row, options)))
    return "\n\n".join(filter(None, parts))


def _paragraphs(help_text: str) -> str:
    """Return help text as Markdown; `\\b` marks lines that Typer does not wrap."""
    return text(help_text.replace("\b\n", "").strip())


def _argument_name(argument: Parameter) -> str:
    return str(argument.metavar or argument.name).upper()


def _argument_usage(argument: Parameter) -> str:
    name = _argument_name(argument) + ("…" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _option_row(option: Parameter) -> tuple[str, str]:
    value = "" if option.is_flag else f" {_value_name(option)}"
    names = ", ".join(code(f"{name}{value}") for name in [*option.opts, *option.secondary_opts])
    return names, " ".join([text(option.help or ""), *_notes(option)])


def _value_name(option: Parameter) -> str:
    if option.metavar:
        return str(option.metavar)
    annotation = str(option.type_descriptor.annotation)
    types = {"int": "INTEGER", "float": "NUMBER", "Path": "PATH"}
    return next((word for type_, word in types.items() if re.search(rf"\b{type_}\b", annotation)), "TEXT")


def _notes(option: Parameter) -> Iterator[str]:
    if option.required:
        yield "**Required.**"
    low, high = getattr(option, "min", None), getattr(option, "max", None)
    if low is not None and high is not None and high < BOUND_SHOWN_MAX:
        yield f"From {low} to {high}."
    elif low is not None:
        yield f"At least {low}."
    if getattr(option, "multiple", False):
        yield "Can be repeated."
    if option.default not in (None, False, [], ()) and not callable(option.default):
        yield f"Default: {code(option.default)}."
