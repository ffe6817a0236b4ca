"""A synthesizer that samples every column independently, as a baseline for scores."""

from __future__ import annotations

from understudy.synthesizers.base import Capabilities, SynthesizerEntry, load_class
from understudy.synthesizers.independent.parameters import IndependentParameters
from understudy.tables.kinds import LEARNED_KINDS

ENTRY = SynthesizerEntry(
    name="independent",
    summary=(
        "Sample each column independently. The distributions of columns are preserved, but not the "
        "dependencies between them. Reports use this synthesizer as a baseline."
    ),
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
