"""Starts worker processes, each in a group of its own, and ends them with all they started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import MachineError

LOAD_LIMIT_S = 300.0  # for Python, torch and the demo's module, before its own time begins
TAIL_BYTES = 2000  # of what a process printed, shown when it fails

# `labdeck` is found where this process found it, and that folder is then forgotten again: it may
# be a checkout, whose other folders and files a demo must not be able to import.
_BOOT = (
    "import sys; root = sys.argv.pop(); sys.path[0] = root; import labdeck; del sys.path[0]; "
    "sys.path[:] = [p for p in sys.path if p != root or p.endswith('-packages')]; "
    "from labdeck.worker import main; main()"
)


def probe_device(device: str) -> dict[str, str]:
    """Ask a process of its own for a device: its type and why; MachineError if it is not there."""
    try:
        done = subprocess.run(
            [*_command("probe"), device, _root()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LOAD_LIMIT_S,
            check=True,
        )
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        printed = getattr(error, "stderr", None) or b""
        raise MachineError(
            f"cannot find out which devices torch sees: {type(error).__name__}",
            hint='see whether `python -c "import torch"` works',
            code="device",
            snippet=printed.decode("utf-8", "replace")[-TAIL_BYTES:].strip() or None,
        ) from error
    if "message" in told:
        raise MachineError(told["message"], hint=told["hint"], code="device")
    return {"type": told["type"], "why": told["why"]}


def _command(argument: str) -> list[str]:
    # -B: two edits within a second look alike to Python's cache of compiled modules.
    # -u: what a demo printed before it was killed must have left it.
    return [sys.executable, "-B", "-u", "-c", _BOOT, argument]


def _root() -> str:
    return str(Path(__file__).resolve().parent.parent)


class Worker:
    """A started process, the pipe its events come from and the pipe it prints to."""

    def __init__(self, process: subprocess.Popen[bytes], events: int) -> None:
        assert process.stdin and process.stdout
        self.process = process
        self.events = events
        self.stdin: IO[bytes] = process.stdin
        self.printed: IO[bytes] = process.stdout

    def tell(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # it died at once; waiting will say how
            self.stdin.write(text.encode())
            self.stdin.flush()

    def end(self) -> None:
        """Kill it and everything in its group, and let its pipes go."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.printed.close()
        os.close(self.events)


@contextlib.contextmanager
def start_worker(folder: str) -> Iterator[Worker]:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [*_command(str(writing)), _root()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(),
            pass_fds=[writing],
            start_new_session=True,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    worker = Worker(process, reading)
    try:
        yield worker
    finally:
        worker.end()


def _environment() -> dict[str, str]:
    """This process's, with what makes two runs alike: no random hashes, cuBLAS workspaces fixed."""
    return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ, "PYTHONHASHSEED": "0"}
