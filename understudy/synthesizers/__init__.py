"""The family of synthesizers: one algorithm a file, one line here."""

from __future__ import annotations

from importlib import import_module

from understudy.errors import InvalidInput
from understudy.parameters.synthesizers import (
    AnySynthesizer,
    IndependentParameters,
    SynthesizerParameters,
    TreeChainParameters,
    set_registry,
)
from understudy.synthesizers.base import Synthesizer, SynthesizerEntry
from understudy.synthesizers.tree_chain.costs import estimate_fit

__all__ = [
    "SYNTHESIZERS",
    "AnySynthesizer",
    "IndependentParameters",
    "TreeChainParameters",
    "make_synthesizer",
    "synthesizer_entry",
]


def _load_tree_chain() -> type[Synthesizer]:
    loaded: type[Synthesizer] = import_module("understudy.synthesizers.tree_chain.synthesizer").TreeChain
    return loaded


def _load_independent() -> type[Synthesizer]:
    loaded: type[Synthesizer] = import_module("understudy.synthesizers.independent").Independent
    return loaded


SYNTHESIZERS: dict[str, SynthesizerEntry] = {
    entry.name: entry
    for entry in (
        SynthesizerEntry(
            name="tree_chain",
            summary="Columns one after another, each by trees over those before it; seconds to fit.",
            parameters=TreeChainParameters,
            load=_load_tree_chain,
            supports_constraints=True,
            estimate=estimate_fit,
            preload=("understudy.synthesizers.tree_chain.synthesizer",),
        ),
        SynthesizerEntry(
            name="independent",
            summary="Every column by itself: right shapes, no relations; the baseline of every score.",
            parameters=IndependentParameters,
            load=_load_independent,
            supports_constraints=False,
        ),
    )
}

set_registry(lambda: {name: entry.parameters for name, entry in SYNTHESIZERS.items()})


def synthesizer_entry(name: str) -> SynthesizerEntry:
    """Return the entry of that name.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in SYNTHESIZERS:
        raise InvalidInput(
            f"There is no synthesizer {name!r}; known: {', '.join(SYNTHESIZERS)}.", code="unknown_synthesizer"
        )
    return SYNTHESIZERS[name]


def make_synthesizer(parameters: SynthesizerParameters, *, seed: int) -> Synthesizer:
    """Return the unfitted synthesizer that the parameters ask for."""
    return synthesizer_entry(parameters.name).load()(parameters, seed=seed)
