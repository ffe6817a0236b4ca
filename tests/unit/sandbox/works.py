"""Work that misbehaves in various ways in the child process of the sandbox under test."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.unit.sandbox import probes
from understudy.errors import InvalidInput
from understudy.progress import Progress

Json = dict[str, Any]


def run(payload: Json, folder: Path, progress: Progress) -> Json:
    """Call the function that the payload selects."""
    return globals()[f"do_{payload['do']}"](payload, folder, progress)


def do_nothing(payload: Json, folder: Path, progress: Progress) -> Json:
    return {}


def do_echo(payload: Json, folder: Path, progress: Progress) -> Json:
    return {"payload": payload, "folder": str(folder), "cwd": str(Path.cwd())}


def do_make_array(payload: Json, folder: Path, progress: Progress) -> Json:
    return {"n": len(pa.array([1, 2])), "has_pandas": "pandas" in sys.modules}


def do_inspect(payload: Json, folder: Path, progress: Progress) -> Json:
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    (folder / "file").write_text("x")
    return {
        "environment": dict(os.environ),
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),  # noqa: PTH208 - names, not paths
        "capabilities": status["CapEff"],
        "uid": os.getuid(),
        "no_new_privileges": status["NoNewPrivs"],
        "mode": (folder / "file").stat().st_mode & 0o777,
    }


def do_probe(payload: Json, folder: Path, progress: Progress) -> Json:
    """Make the escape attempts in `probes`, and return the names of those that succeeded."""
    return {"succeeded": probes.try_all(payload)}


def do_use_inputs_and_folder(payload: Json, folder: Path, progress: Progress) -> Json:
    """Read inputs, write files and start threads, as honest work does."""
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_bytes(Path(payload["input"]).read_bytes())
    (folder / "sub" / "file").rename(folder / "file")
    (folder / "sub").rmdir()
    with tempfile.TemporaryFile() as file:
        file.truncate(10)
    thread = threading.Thread(target=importlib.import_module, args=("sqlite3",))
    thread.start()
    thread.join()
    return {"imported": "sqlite3" in sys.modules}


def do_refuse(payload: Json, folder: Path, progress: Progress) -> Json:
    raise InvalidInput("Column 'age' has a gap.", code="ragged_rows")


def do_refuse_with_odd_text(payload: Json, folder: Path, progress: Progress) -> Json:
    raise InvalidInput("Column 'a\0b\ud800' has a gap.", code="ragged_rows")


def do_break(payload: Json, folder: Path, progress: Progress) -> Json:
    raise ValueError("could not convert 'secret value of a patient'")


def do_take_memory(payload: Json, folder: Path, progress: Progress) -> Json:
    return {"sum": float(np.ones(payload["bytes"] // 8).sum())}


def do_take_threads(payload: Json, folder: Path, progress: Progress) -> Json:
    for _ in range(10_000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return {}


def do_abort(payload: Json, folder: Path, progress: Progress) -> Json:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def do_spin(payload: Json, folder: Path, progress: Progress) -> Json:
    while True:
        pass


def do_write(payload: Json, folder: Path, progress: Progress) -> Json:
    (folder / "large").write_bytes(bytes(payload["bytes"]))
    return {}


def do_sleep(payload: Json, folder: Path, progress: Progress) -> Json:
    progress("sleeping", 0.5, rows_done=3, rows_total=6)
    time.sleep(payload["seconds"])
    return {}


def do_ignore_term(payload: Json, folder: Path, progress: Progress) -> Json:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    progress("ignoring", 0.0)
    time.sleep(60)
    return {}


def do_send_garbage(payload: Json, folder: Path, progress: Progress) -> Json:
    output = _pipe()
    while True:
        os.write(output, b"\xff" * 65536)


def do_send_many_messages(payload: Json, folder: Path, progress: Progress) -> Json:
    output = _pipe()
    message = b'{"progress": {"phase": "x", "fraction": 0.5}}' + b" " * 1_000_000
    while True:
        os.write(output, len(message).to_bytes(4, "big") + message)


def do_send_invalid_progress(payload: Json, folder: Path, progress: Progress) -> Json:
    message = b'{"progress": {"phase": "' + b"x" * 1_000 + b'"}}'
    os.write(_pipe(), len(message).to_bytes(4, "big") + message)
    return {}


def do_flood_stderr(payload: Json, folder: Path, progress: Progress) -> Json:
    for _ in range(100):
        try:
            os.write(2, b"x" * 65536)
        except BlockingIOError:
            break
    return {"finished": True}


def do_large_result(payload: Json, folder: Path, progress: Progress) -> Json:
    return {"text": "x" * payload["bytes"]}


def do_exit(payload: Json, folder: Path, progress: Progress) -> Json:
    os._exit(3)


def do_kill_itself(payload: Json, folder: Path, progress: Progress) -> Json:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _pipe() -> int:
    """Search the open descriptors for the pipe to the supervisor, as hostile work would."""
    for descriptor in range(3, 100):
        link = Path(f"/proc/self/fd/{descriptor}")
        if link.is_symlink() and link.readlink().name.startswith("pipe:"):
            return descriptor
    raise AssertionError("no pipe")


def do_send(payload: Json, folder: Path, progress: Progress) -> Json:
    """Send raw messages, and then the result."""
    for text in payload["messages"]:
        body = text.encode()
        os.write(_pipe(), len(body).to_bytes(4, "big") + body)
    return {}


def do_send_deep_message(payload: Json, folder: Path, progress: Progress) -> Json:
    body = b'{"result": ' + b'{"a": ' * payload["depth"] + b"1" + b"}" * payload["depth"] + b"}"
    _send_all(body)
    return {}


def do_send_wide_message(payload: Json, folder: Path, progress: Progress) -> Json:
    _send_all(b'{"result": {"a": [' + b"{}," * payload["n"] + b"1]}}")
    return {}


def _send_all(body: bytes) -> None:
    output, view = _pipe(), memoryview(len(body).to_bytes(4, "big") + body)
    while view:
        view = view[os.write(output, view) :]


def do_fill_folder(payload: Json, folder: Path, progress: Progress) -> Json:
    """Use more of the disk than allowed, in the way that the payload selects, and wait to be stopped."""
    block = bytes(1 << 19)
    kept: list[object] = []
    for number in range(payload["n"]):
        path = Path(f"file-{number}")
        match payload["how"]:
            case "files":
                path.write_bytes(block)
            case "deleted":
                kept.append(path.open("w+b", buffering=0))
                kept[-1].write(block)
                path.unlink()
            case "mapped":
                with path.open("w+b", buffering=0) as file:
                    file.write(block)
                    _map(file.fileno(), len(block))
                path.unlink()
            case "empty":
                path.touch()
            case "deep":
                path.mkdir()
                os.chdir(path)
            case "hidden":
                path.mkdir(mode=0)
    time.sleep(payload["seconds"])
    return {}


def _map(descriptor: int, size: int) -> None:
    """Map a file with the C library, because Python's `mmap` keeps the file open."""
    mmap = ctypes.CDLL(None, use_errno=True).mmap
    mmap.restype = ctypes.c_void_p
    mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
    assert mmap(None, size, 1, 1, descriptor, 0)


def do_start_threads(payload: Json, folder: Path, progress: Progress) -> Json:
    threads = [
        threading.Thread(target=time.sleep, args=(payload["seconds"],), daemon=True)
        for _ in range(payload["n"])
    ]
    threading.stack_size(1 << 16)
    for thread in threads:
        thread.start()
    progress("started", 0.5)
    for thread in threads:
        thread.join()
    return {"uid": os.getuid()}
