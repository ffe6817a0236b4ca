"""The registry of synthesizers. To add a synthesizer, write its module and add one line to `MODULES`.

Each of these modules exports an `ENTRY`. The API, the command line, the workers and the contract tests derive
their behavior from this entry. Importing such a module must not import Arrow or numpy.
"""

from __future__ import annotations

from importlib import import_module

from understudy.errors import InvalidInput
from understudy.parameters.synthesizers import AnySynthesizer, SynthesizerParameters, set_registry
from understudy.synthesizers.base import Synthesizer, SynthesizerEntry
from understudy.synthesizers.independent.parameters import IndependentParameters
from understudy.synthesizers.tree_chain.parameters import TreeChainParameters

__all__ = [
    "SYNTHESIZERS",
    "AnySynthesizer",
    "IndependentParameters",
    "TreeChainParameters",
    "make_synthesizer",
    "synthesizer_entry",
]

# One line per synthesizer. The first synthesizer is the default.
MODULES = (
    "understudy.synthesizers.tree_chain",
    "understudy.synthesizers.independent",
)


def _read_entry(module: str) -> SynthesizerEntry:
    entry: SynthesizerEntry = import_module(module).ENTRY
    return entry


SYNTHESIZERS: dict[str, SynthesizerEntry] = {entry.name: entry for entry in map(_read_entry, MODULES)}

set_registry(lambda: {name: entry.parameters for name, entry in SYNTHESIZERS.items()})


def synthesizer_entry(name: str) -> SynthesizerEntry:
    """Return the registry entry with the given name.

    Raises
    ------
    InvalidInput
        If there is no synthesizer of that name.
    """
    if name not in SYNTHESIZERS:
        raise InvalidInput(
            f"There is no synthesizer {name!r}. Choose one of {', '.join(SYNTHESIZERS)}.",
            code="unknown_synthesizer",
        )
    return SYNTHESIZERS[name]


def make_synthesizer(parameters: SynthesizerParameters) -> Synthesizer:
    """Return an unfitted synthesizer with the given parameters."""
    return synthesizer_entry(parameters.name).load()(parameters)
