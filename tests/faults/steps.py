"""The failpoints at which the soak injects faults, and the possible actions at each failpoint."""

from __future__ import annotations

TRANSACTION_ACTIONS = ("kill", "sleep", "raise", "drop", "stop")
STEP_ACTIONS = ("kill", "sleep", "raise", "stop")
DISK_ACTIONS = ("kill", "raise", "eio", "enospc", "stop")
WORKER_STEPS = {
    "claim.before_commit": TRANSACTION_ACTIONS,
    "claim.after_commit": STEP_ACTIONS,
    "input.after": STEP_ACTIONS,
    "store.before": DISK_ACTIONS,
    "put.before_fsync": DISK_ACTIONS,
    "put.after_fsync": DISK_ACTIONS,
    "put.after_link": DISK_ACTIONS,
    "finish.before": STEP_ACTIONS,
    "finish.before_commit": TRANSACTION_ACTIONS,
    "finish.after_commit": STEP_ACTIONS,
    "settle.before_commit": TRANSACTION_ACTIONS,
    "settle.after_commit": STEP_ACTIONS,
    "cleanup.before": STEP_ACTIONS,
    "heartbeat.before": STEP_ACTIONS,
    "heartbeat.before_commit": ("sleep", "raise", "drop"),
    "reap.selected": ("sleep", "raise"),
    "reap.before_commit": ("sleep", "raise", "drop"),
}
API_ACTIONS = ("kill", "raise", "sleep")
API_STEPS = {
    "upload.before_write": ("kill", "raise", "enospc"),
    "upload.after_write": ("kill", "raise"),
    "upload.before_commit": (*API_ACTIONS, "drop"),
    "upload.after_commit": API_ACTIONS,
    "submit.before_commit": (*API_ACTIONS, "drop"),
    "submit.after_commit": API_ACTIONS,
    "submit.after_ring": API_ACTIONS,
    "cancel.before_commit": (*API_ACTIONS, "drop"),
    "cancel.after_commit": API_ACTIONS,
    "delete.before_commit": (*API_ACTIONS, "drop"),
    "delete.after_commit": API_ACTIONS,
    "part.before_commit": (*API_ACTIONS, "drop"),
    "part.after_commit": API_ACTIONS,
    "complete.before_commit": (*API_ACTIONS, "drop"),
    "complete.after_commit": API_ACTIONS,
    "put.after_fsync": ("kill", "raise", "eio", "enospc"),
}
