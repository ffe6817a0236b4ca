"""Every column by itself: the baseline that scores are read against."""

from __future__ import annotations

from understudy.synthesizers.base import Capabilities, SynthesizerEntry, load_class
from understudy.synthesizers.independent.parameters import IndependentParameters
from understudy.tables.kinds import LEARNED_KINDS

ENTRY = SynthesizerEntry(
    name="independent",
    summary="Every column by itself: right shapes, no relations; the baseline of every score.",
    parameters=IndependentParameters,
    load=load_class("understudy.synthesizers.independent.synthesizer:Independent"),
    capabilities=Capabilities(
        tables="one",
        learned_kinds=LEARNED_KINDS,
        constraints=False,
        imputation=False,
        addressable_rows=True,
        reproducibility="bytes",
        guarantee="heuristic",
        device="cpu",
    ),
)
