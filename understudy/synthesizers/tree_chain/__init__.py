"""Tree chains: columns one after another, each a hierarchy of choices, each choice an evidence-grown tree.

The method and its sources are in `docs/explanation/tree-chain.md`.
"""

from __future__ import annotations

from understudy.synthesizers.base import Capabilities, SynthesizerEntry, load_class
from understudy.synthesizers.tree_chain.costs import estimate_fit
from understudy.synthesizers.tree_chain.parameters import TreeChainParameters
from understudy.tables.kinds import LEARNED_KINDS

ENTRY = SynthesizerEntry(
    name="tree_chain",
    summary="Columns one after another, each by trees over those before it; seconds to fit.",
    parameters=TreeChainParameters,
    load=load_class("understudy.synthesizers.tree_chain.synthesizer:TreeChain"),
    capabilities=Capabilities(
        tables="one",
        learned_kinds=LEARNED_KINDS,
        constraints=True,
        imputation=True,
        addressable_rows=True,
        reproducibility="bytes",
        guarantee="heuristic",
        device="cpu",
    ),
    estimate=estimate_fit,
    preload=("understudy.synthesizers.tree_chain.synthesizer",),
)
