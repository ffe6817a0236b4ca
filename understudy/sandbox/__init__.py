"""Runs a job's work in a child process with limits on memory, time and files, and no credentials.

    Sandbox ──spawns, once── server   the warm parent: everything imported, an empty environment
       │ start()                │ fork, some milliseconds
      Run ◀──── messages ──── child   limits, a process group: target(payload, folder, progress)

`supervisor` and `run` are our side, `server` and `child` the other one; `messages` is what they say.
"""

from __future__ import annotations

from understudy.sandbox.messages import Outcome, SandboxLimits, SandboxRequest
from understudy.sandbox.run import Run
from understudy.sandbox.supervisor import Sandbox

__all__ = ["Outcome", "Run", "Sandbox", "SandboxLimits", "SandboxRequest"]
