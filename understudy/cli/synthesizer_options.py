"""Options of `fit` that select a synthesizer and set its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer
from pydantic import TypeAdapter, ValidationError

from understudy.errors import InvalidInput
from understudy.parameters.synthesizers import AnySynthesizer, SynthesizerParameters
from understudy.synthesizers import SYNTHESIZERS, synthesizer_entry

PANEL = "Synthesizer"
_UNIT = "_seconds"


def chooses_synthesizer(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add the synthesizer options to a command, which gets the parsed values as its argument `parameters`."""
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    command_parameters = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in signature.parameters.values()
        if parameter.name != "parameters"
    ]
    options = _options()

    @wraps(command)
    def wrapper(**arguments: Any) -> int | None:
        name = arguments.pop("synthesizer")
        texts = {field: arguments.pop(field) for field in options}
        parameters = read_parameters(name, {field: text for field, text in texts.items() if text is not None})
        return command(**arguments, parameters=parameters)

    added = [_keyword("synthesizer", _name_option(), next(iter(SYNTHESIZERS)))]
    added += [_keyword(field, annotation, None) for field, annotation in options.items()]
    parameters = [*command_parameters, *added]
    parameters.sort(key=lambda parameter: parameter.kind)
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # typer reads it
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del wrapper.__wrapped__  # Otherwise, typer would read the annotations of `command`.
    return wrapper


def read_parameters(name: str, texts: dict[str, str]) -> SynthesizerParameters:
    """Parse the option texts into the parameters of a synthesizer.

    Raises
    ------
    InvalidInput
        If the synthesizer does not exist, or does not accept one of the options.
    """
    adapter: TypeAdapter[SynthesizerParameters] = TypeAdapter(AnySynthesizer)
    try:
        return adapter.validate_python({"name": synthesizer_entry(name).name, **texts})
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"]
        listed = " and ".join(f"{field} {text!r}" for field, text in texts.items())
        raise InvalidInput(
            f"{listed} cannot be used with the synthesizer {name}: {message}.", code="invalid_parameters"
        ) from error


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _name_option() -> Any:  # `Any` is an annotation.
    names = ", ".join(SYNTHESIZERS)
    return Annotated[
        str, typer.Option("--synthesizer", rich_help_panel=PANEL, help=f"Synthesizer: one of {names}.")
    ]


def _options() -> dict[str, Any]:
    """Return the typer annotation for each parameter's option, by parameter name."""
    takers: dict[str, list[str]] = {}
    descriptions: dict[str, str] = {}
    for entry in SYNTHESIZERS.values():
        for field, info in entry.parameters.model_fields.items():
            if field != "name":
                takers.setdefault(field, []).append(entry.name)
                descriptions.setdefault(field, info.description or "")
    return {
        field: Annotated[
            str | None,
            typer.Option(
                *_flags(field),
                rich_help_panel=PANEL,
                metavar="SECONDS" if field.endswith(_UNIT) else "TEXT",
                help=f"{descriptions[field]} ({', '.join(names)})",
            ),
        ]
        for field, names in takers.items()
    }


def _flags(field: str) -> list[str]:
    """Return the flags of a parameter. If its name contains a unit, the flag without the unit comes first."""
    flags = [f"--{field.replace('_', '-')}"]
    return [flags[0].removesuffix(_UNIT.replace("_", "-")), *flags] if field.endswith(_UNIT) else flags
