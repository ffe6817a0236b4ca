"""The parameters of independent columns: none but the name."""

from __future__ import annotations

from typing import Literal

from understudy.parameters.synthesizers import SynthesizerParameters


class IndependentParameters(SynthesizerParameters):
    """Every column by itself: the baseline that scores are read against."""

    name: Literal["independent"]
