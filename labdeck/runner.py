"""Runs one job in a worker process, within a time and a memory limit, and ends all it started."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from .contract import Progress
from .errors import DeckError, MachineError, Where
from .machine import resident_bytes

LOAD_LIMIT_S = 300.0  # for Python, torch and the demo's module, before its own time begins
POLL_S = 0.1
TAIL_BYTES = 2000  # of what the demo printed, shown when it fails
EVENT_BYTES = 128 * 2**20  # one result larger than this is a mistake

# `labdeck` is found where this process found it, and that folder is then forgotten again: it may
# be a checkout, whose other folders and files a demo must not be able to import.
_BOOT = (
    "import sys; sys.path[0] = sys.argv.pop(); import labdeck; del sys.path[0]; "
    "from labdeck.worker import main; main()"
)


@dataclass(frozen=True)
class Job:
    """What a worker is told.

    Args:
        demo: its id.
        layer: the demos/ folder it is in, as messages call it.
        line: of its declaration in demo.py.
        device: auto, cpu, cuda or cuda:N.
        threads: for torch; None leaves torch's own choice.
        limit_s: instead of the demo's own time limit.
    """

    demo: str
    layer: Path
    line: int
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "auto"
    dtype: str = "float32"
    threads: int | None = None
    limit_s: float | None = None

    @property
    def where(self) -> Where:
        return Where(str(self.layer / self.demo.partition(".")[0] / "demo.py"), self.line)

    def text(self) -> str:
        data = {**asdict(self), "layer": str(self.layer.resolve()), "params": dict(self.params)}
        return json.dumps(data) + "\n"


def run_job(
    job: Job,
    memory_bytes: int,
    report: Callable[[Progress], None] = lambda progress: None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Run a job and return what its worker made of it; DeckError in every other case.

    Setting `cancel` from another thread ends it, and so does any exception raised in here.
    """
    with tempfile.TemporaryDirectory(prefix="labdeck-") as folder, _start(folder) as worker:
        watch = _Watch(job, worker, memory_bytes, report, cancel or threading.Event())
        worker.tell(job.text())
        return watch.wait()


class _Worker:
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
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.printed.close()
        os.close(self.events)


@contextlib.contextmanager
def _start(folder: str) -> Iterator[_Worker]:
    reading, writing = os.pipe()
    root = str(Path(__file__).resolve().parent.parent)
    try:
        process = subprocess.Popen(
            # -B: two edits within a second look alike to Python's cache of compiled modules.
            [sys.executable, "-B", "-c", _BOOT, str(writing), root],
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
    worker = _Worker(process, reading)
    try:
        yield worker
    finally:
        worker.end()


def _environment() -> dict[str, str]:
    """This process's, with what makes two runs alike: no random hashes, cuBLAS workspaces fixed."""
    return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ, "PYTHONHASHSEED": "0"}


class _Watch:
    """Follows one worker from its start to its result or its end."""

    def __init__(
        self,
        job: Job,
        worker: _Worker,
        memory_bytes: int,
        report: Callable[[Progress], None],
        cancel: threading.Event,
    ) -> None:
        self.job = job
        self.worker = worker
        self.memory_bytes = memory_bytes
        self.report = report
        self.cancel = cancel
        self.limit_s = LOAD_LIMIT_S
        self.since = time.monotonic()
        self.started = False
        self.line = bytearray()
        self.tail = b""

    def wait(self) -> dict[str, Any]:
        with selectors.DefaultSelector() as selector:
            for source in (self.worker.events, self.worker.printed.fileno()):
                os.set_blocking(source, False)
                selector.register(source, selectors.EVENT_READ)
            while True:
                ready = [key.fd for key, _ in selector.select(POLL_S)]
                # Asked before reading: what a worker sent before it ended is then read below.
                ended = self.worker.process.poll() is not None
                for source in ready:
                    result = self._read(source, selector)
                    if result is not None:
                        return result
                if ended and not ready:
                    raise self._ended()
                self._check_limits()

    def _read(self, source: int, selector: selectors.BaseSelector) -> dict[str, Any] | None:
        data = os.read(source, 1 << 16)
        if not data:
            selector.unregister(source)
        elif source == self.worker.events:
            return self._take(data)
        else:
            self.tail = (self.tail + data)[-TAIL_BYTES:]
        return None

    def _take(self, data: bytes) -> dict[str, Any] | None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            whole = bytes(self.line + line)
            self.line.clear()
            if (result := self._event(json.loads(whole))) is not None:
                return result
        self.line += rest
        if len(self.line) > EVENT_BYTES:
            raise self._error(
                f"returned more than {_size(EVENT_BYTES)}", "draw fewer points", "demo-contract"
            )
        return None

    def _event(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        if "error" in event:
            raise self._told(event["error"])
        if "started" in event:
            self.limit_s, self.since = event["started"]["limit_s"], time.monotonic()
            self.started = True
        if "progress" in event:
            step, total, numbers = event["progress"]
            self.report(Progress(step, total, numbers))
        return event.get("result")

    def _check_limits(self) -> None:
        if self.cancel.is_set():
            raise self._error("was stopped", None, "demo-stopped")
        if time.monotonic() - self.since > self.limit_s:
            if not self.started:
                raise self._error(
                    f"was not loaded within {self.limit_s:g} s",
                    "its module must import quickly; heavy work belongs into the function",
                    "demo-timeout",
                )
            raise self._error(
                f"did not end within {self.limit_s:g} s",
                "give it smaller parameters, or a larger limit_s in its @demo",
                "demo-timeout",
            )
        if resident_bytes(self.worker.process.pid) > self.memory_bytes:
            raise self._error(
                f"used more than {_size(self.memory_bytes)} of memory",
                "give it smaller parameters, or a machine with more memory",
                "demo-memory",
            )

    def _ended(self) -> DeckError:
        """The worker ended without a result."""
        code = self.worker.process.returncode
        if code >= 0:
            return self._error(
                f"ended its process with exit code {code} and no result",
                "it must return a Result, and let nothing call os._exit",
                "demo-killed",
            )
        hint = "native code crashed; see what it printed"
        if -code == signal.SIGKILL:
            hint = "often the system ends a process so when memory runs out"
        return self._error(f"was killed by {_signal_name(-code)}", hint, "demo-killed")

    def _told(self, told: Mapping[str, Any]) -> DeckError:
        """An error as the worker tells it, its file named as this process names the folder."""
        where = None
        if told["file"]:
            inside = Path(told["file"]).relative_to(self.job.layer.resolve())
            where = Where(str(self.job.layer / inside), told["line"])
        kind = MachineError if told["machine"] else DeckError
        return kind(
            told["message"], where, told["hint"], code=told["code"], snippet=self._printed()
        )

    def _error(self, what: str, hint: str | None, code: str) -> DeckError:
        return DeckError(
            f"demo `{self.job.demo}` {what}",
            self.job.where,
            hint,
            code=code,
            snippet=self._printed(),
        )

    def _printed(self) -> str | None:
        """The last of what the demo printed."""
        while True:
            try:
                data = os.read(self.worker.printed.fileno(), 1 << 16)
            except BlockingIOError:
                break
            if not data:
                break
            self.tail = (self.tail + data)[-TAIL_BYTES:]
        text = self.tail.decode("utf-8", "replace").strip()
        return "\n".join(text.splitlines()[-15:]) or None


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
