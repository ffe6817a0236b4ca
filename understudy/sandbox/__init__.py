"""Execution of a job's work in a child process without credentials, with limits on memory, time and files.

    Sandbox ──spawns, once── server   the warm parent: everything imported, an empty environment
       │ start()                │ fork, takes milliseconds
      Run ◀──── messages ──── child   limits, a process group: target(payload, folder, progress)

`supervisor` and `run` belong to the worker. `server` and `child` run in the sandbox. `messages` defines the
messages between them.
"""

from __future__ import annotations

from understudy.sandbox.messages import Outcome, SandboxLimits, SandboxRequest
from understudy.sandbox.run import Run
from understudy.sandbox.supervisor import Sandbox

__all__ = ["Outcome", "Run", "Sandbox", "SandboxLimits", "SandboxRequest"]
