"""The tree chain, a synthesizer that models each column with trees over the preceding columns.

Each column is modeled as a hierarchy of choices. A tree models each choice, and grows as far as the evidence
supports its splits. `docs/explanation/tree-chain.md` describes the method and its sources.
"""

from __future__ import annotations

from understudy.synthesizers.base import Capabilities, SynthesizerEntry, load_class
from understudy.synthesizers.tree_chain.costs import estimate_fit, phases_of
from understudy.synthesizers.tree_chain.parameters import TreeChainParameters
from understudy.tables.kinds import LEARNED_KINDS

ENTRY = SynthesizerEntry(
    name="tree_chain",
    summary="Sample columns one after another, with trees that predict each column from the preceding "
    "ones. The fit takes seconds.",
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
    phases=phases_of,
    preload=("understudy.synthesizers.tree_chain.synthesizer",),
)
