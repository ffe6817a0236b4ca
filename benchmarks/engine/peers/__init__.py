"""Other synthesizers, for comparison only. Each one runs in a separate environment outside the project.

None of these synthesizers is a dependency of the project, and their processes import nothing from it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A synthesizer from another project.

    Parameters
    ----------
    runner : str
        Name of the module in `runners` that fits the synthesizer and samples from it.
    requirements : tuple of str
        Pinned requirements for pip.
    removed : tuple of str
        Packages to uninstall after the installation: libraries for images and sound. Their compiled code can
        be incompatible with the installed torch and would then prevent its import.
    settings : str
        Description of the synthesizer's settings, for the results.
    """

    name: str
    runner: str
    requirements: tuple[str, ...]
    settings: str
    removed: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        """The name of the peer's environment. Peers with the same requirements share an environment."""
        return self.requirements[0].replace("==", "-")


_SDV = ("sdv==2.0.0", "torch==2.13.0", "pandas==2.3.3", "pyarrow==26.0.1")

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "tabular_argn",
            "tabular_argn",
            ("mostlyai-engine==2.7.3", "torch==2.13.0", "pandas==3.1.1", "pyarrow==26.0.1"),
            "defaults; max_training_time is set to the time limit",
            removed=("torchvision", "torchaudio"),
        ),
        Peer("sdv_gaussian_copula", "sdv_gaussian_copula", _SDV, "defaults, column types specified"),
        Peer(
            "sdv_tvae",
            "sdv_tvae",
            _SDV,
            "defaults (300 epochs), column types specified; no time limit of its own, stopped from outside",
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
            "defaults (CART), columns in the table's order; no time limit of its own, stopped from outside",
        ),
    )
}
