"""Tree chains: columns one after another, each a hierarchy of choices, each choice an evidence-grown tree.

The method and its sources are in `docs/tree_chain.md`.
"""
