"""Runs one job in a worker process, within a time and a memory limit, and ends all it started."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .contract import Progress
from .errors import DeckError, MachineError, Where
from .machine import resident_bytes
from .process import LOAD_LIMIT_S, TAIL_BYTES, Worker, start_worker

POLL_S = 0.1
EVENT_BYTES = 128 * 2**20  # one result larger than this is a mistake


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
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Run a job and return what its worker made of it; DeckError in every other case.

    It ends, with all it started, once `stopped` says so or `report` raises.
    """
    with tempfile.TemporaryDirectory(prefix="labdeck-") as folder, start_worker(folder) as worker:
        watch = _Watch(job, worker, memory_bytes, report, stopped)
        worker.tell(job.text())
        return watch.wait()


class _Watch:
    """Follows one worker from its start to its result or its end."""

    def __init__(
        self,
        job: Job,
        worker: Worker,
        memory_bytes: int,
        report: Callable[[Progress], None],
        stopped: Callable[[], bool],
    ) -> None:
        self.job = job
        self.worker = worker
        self.memory_bytes = memory_bytes
        self.report = report
        self.stopped = stopped
        self.limit_s = LOAD_LIMIT_S
        self.since = time.monotonic()
        self.weighed = 0.0
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
            try:
                event = json.loads(whole)
            except ValueError as error:
                raise self._error(
                    "wrote into the pipe that its result goes through",
                    "it must write to files it opened itself, not to numbered descriptors",
                    "demo-contract",
                ) from error
            if (result := self._event(event)) is not None:
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
        if self.stopped():
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
                "give it smaller parameters or more time: --time-limit, or limit_s in its @demo",
                "demo-timeout",
            )
        if time.monotonic() - self.weighed < POLL_S:
            return
        self.weighed = time.monotonic()
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
            file, root = Path(told["file"]), self.job.layer.resolve()
            if file.is_relative_to(root):
                file = self.job.layer / file.relative_to(root)
            where = Where(str(file), told["line"])
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
        """The last of what the demo printed, what is still in the pipe included."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.worker.printed.fileno(), 1 << 20)
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
