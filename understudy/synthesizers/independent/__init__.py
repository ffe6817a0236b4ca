"""Every column by itself: the baseline that scores are read against."""

from __future__ import annotations

from typing import Literal

from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers.base import Capabilities, SynthesizerEntry, load_class
from understudy.tables.kinds import LEARNED_KINDS


class IndependentParameters(SynthesizerParameters):
    """Every column by itself: the baseline that scores are read against."""

    name: Literal["independent"]


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
