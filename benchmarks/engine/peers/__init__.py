"""Other synthesizers, for comparison only: each runs in an environment of its own, outside the project's.

None of them is a dependency of the project, and nothing of ours is imported where they run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A synthesizer of somebody else.

    Parameters
    ----------
    runner : str
        The module in `runners` that fits and samples it.
    requirements : tuple of str
        What pip installs, pinned.
    removed : tuple of str
        What is uninstalled again: parts for images and sound whose compiled code may not fit the torch that
        was installed, and which then break its import.
    settings : str
        How it is run, for the results.
    """

    name: str
    runner: str
    requirements: tuple[str, ...]
    settings: str
    removed: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        """The name of its environment; peers of equal requirements share one."""
        return self.requirements[0].replace("==", "-")


_SDV = ("sdv==2.0.0", "torch==2.13.0", "pandas==2.3.3", "pyarrow==26.0.1")

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "tabular_argn",
            "tabular_argn",
            ("mostlyai-engine==2.7.3", "torch==2.13.0", "pandas==3.1.1", "pyarrow==26.0.1"),
            "defaults; the cap of minutes is its max_training_time",
            removed=("torchvision", "torchaudio"),
        ),
        Peer("sdv_gaussian_copula", "sdv_gaussian_copula", _SDV, "defaults, types of the columns given"),
        Peer(
            "sdv_tvae",
            "sdv_tvae",
            _SDV,
            "defaults (300 epochs), types of the columns given; no cap of its own, ended from outside",
        ),
        Peer(
            "py_synthpop",
            "py_synthpop",
            (
                "py-synthpop==0.1.2",
                "pandas==1.5.3",
                "numpy==1.26.4",
                "scikit-learn==1.4.2",
                "pyarrow==17.0.0",
            ),
            "defaults (CART), columns in the table's order; no cap of its own, ended from outside",
        ),
    )
}
