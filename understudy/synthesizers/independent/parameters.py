"""Parameters of the `independent` synthesizer."""

from __future__ import annotations

from typing import Literal

from understudy.parameters.synthesizers import SynthesizerParameters


class IndependentParameters(SynthesizerParameters):
    """Parameters of a synthesizer that samples every column independently, as a baseline for scores."""

    name: Literal["independent"]
