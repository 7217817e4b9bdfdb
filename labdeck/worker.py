"""The process that runs one demo: a job comes in on stdin, events go out on a pipe of their own.

Each event is a line of JSON: `started` (the device and time limit), `progress`, and at the end
`result` or `error`. What the demo prints goes to stdout and stderr as ever. Stdin stays open for
as long as somebody waits; when it closes, the process ends itself and all it started.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from .catalogue import FoundDemo, innermost, load, missing_package, mount, package_error
from .contract import ContractError, Demo, DemoUnavailable, Progress, Result, Run
from .digest import Reach, Sources
from .errors import DeckError, MachineError
from .machine import Device, peak_memory_bytes, settle
from .provenance import versions
from .record import plain_result

EVERY_S = 0.05  # between two progress events; the last step is always told


class Events:
    """The pipe to whoever waits, safe to use from several threads."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._last = 0.0

    def send(self, kind: str, value: object) -> None:
        line = json.dumps({kind: value}) + "\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def progress(self, progress: Progress) -> None:
        """Tell how far the demo is, not more often than people can see."""
        now = time.monotonic()
        if now - self._last < EVERY_S and progress.step < progress.total:
            return
        self._last = now
        numbers = {name: float(value) for name, value in progress.numbers.items()}
        self.send("progress", [int(progress.step), int(progress.total), numbers])


def main() -> None:
    """Read a job from stdin, run it, and tell what came of it; argv names the events' pipe.

    With `probe <device>` say instead, on stdout, what that device is.
    """
    if sys.argv[1] == "probe":
        return print(json.dumps(_probe(sys.argv[2])))
    with open(int(sys.argv[1]), "w", encoding="utf-8") as file:
        events = Events(file)
        job = json.loads(sys.stdin.buffer.readline())
        threading.Thread(target=_end_when_alone, daemon=True).start()
        try:
            events.send("result", work(job, events))
        except DeckError as error:
            events.send("error", _plain_error(error))


def work(job: Mapping[str, Any], events: Events) -> dict[str, Any]:
    """Run the job's demo and return its plain result, all parameters and the conditions."""
    layer = Path(job["layer"])
    topic, _, function = job["demo"].partition(".")
    found = FoundDemo(job["demo"], topic, function, layer, layer / topic / "demo.py", job["line"])
    reach = Sources(layer).reach(topic, function)
    demo = load(found, mount(layer))
    _bind(found, demo, job["params"], "cpu")  # a wrong parameter is told before torch is loaded
    device = settle(job["device"], torch_needed="torch" in reach.needs)
    params = _bind(found, demo, job["params"], device.type)
    threads = _prepare(reach, job["seed"], job["threads"])
    run = Run(device.name, job["dtype"], job["seed"], events.progress)
    limit = job["limit_s"] or demo.limit_s
    events.send("started", {"limit_s": limit, "device": device.name, "label": device.label})
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    clock = time.perf_counter()
    result = _call(found, demo, run, params)
    duration = time.perf_counter() - clock
    return {
        **_plain(found, result),
        "params": params,
        "device_why": device.why,
        "provenance": {
            **_conditions(device, job, reach),
            "threads": threads,
            "repeats": params.get("repeats", 1),
            "started": started,
            "duration_s": round(duration, 3),
            "peak_memory_bytes": peak_memory_bytes(device.name),
        },
    }


def _probe(device: str) -> dict[str, Any]:
    try:
        found = settle(device)
    except MachineError as error:
        return _plain_error(error)
    return {"type": found.type, "why": found.why}


def _conditions(device: Device, job: Mapping[str, Any], reach: Reach) -> dict[str, Any]:
    return {
        "device": device.label,
        "device_type": device.type,
        "dtype": job["dtype"],
        "seed": job["seed"],
        "versions": versions(),
        "source_digest": reach.digest,
    }


def _bind(found: FoundDemo, demo: Demo, given: Mapping[str, object], device: str) -> dict[str, Any]:
    try:
        return demo.bind(given, device)
    except ContractError as error:
        raise DeckError(
            f"demo `{found.id}`: {error.message}", hint=error.hint, code="demo-params"
        ) from error


def _prepare(reach: Reach, seed: int, threads: int | None) -> int:
    """Seed what the demo may draw from besides its run's generator; threads torch will use."""
    random.seed(seed)
    wanted = "torch" in reach.needs or sys.modules.get("torch")
    if not wanted or importlib.util.find_spec("torch") is None:
        return 1
    import torch

    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if threads is not None:
        torch.set_num_threads(threads)
    return torch.get_num_threads()


def _call(found: FoundDemo, demo: Demo, run: Run, params: Mapping[str, Any]) -> Result:
    """Run the demo; each way it can go wrong becomes an error that names it."""
    try:
        result: object = demo(run, **params)
    except DemoUnavailable as error:
        raise MachineError(
            f"demo `{found.id}` cannot run here: {error}",
            hint="run it on a machine that can; a result baked there builds anywhere",
            code="demo-unavailable",
        ) from error
    except ContractError as error:
        where = innermost(error, found.layer) or found.where
        raise DeckError(
            f"demo `{found.id}`: {error.message}", where, error.hint, code="demo-contract"
        ) from error
    except BaseException as error:
        told = _raised(found, error)
        if not isinstance(told, MachineError):
            _print_traceback(error)
        raise told from error
    if not isinstance(result, Result):
        raise DeckError(
            f"demo `{found.id}` returned {type(result).__name__}, not Result",
            found.where,
            "end it with `return Result(numbers={…})`",
            code="demo-contract",
        )
    return result


def _print_traceback(error: BaseException) -> None:
    """The traceback from the demo's function on, without our own calls of it."""
    ours = str(Path(__file__).parent)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(ours):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _raised(found: FoundDemo, error: BaseException) -> DeckError:
    if package := missing_package(error):
        return package_error(found.id, package)
    where = innermost(error, found.layer) or found.where
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return DeckError(
            f"demo `{found.id}` ran out of memory: {said}",
            where,
            "give it smaller parameters, or a device with more memory",
            code="demo-memory",
        )
    return DeckError(
        f"demo `{found.id}` failed: {said}",
        where,
        f"run it alone with: labdeck demo run {found.id}",
        code="demo-failed",
    )


def _plain(found: FoundDemo, result: Result) -> dict[str, Any]:
    try:
        return plain_result(result)
    except ContractError as error:
        raise DeckError(
            f"demo `{found.id}`: {error.message}", found.where, error.hint, code="demo-contract"
        ) from error


def _plain_error(error: DeckError) -> dict[str, Any]:
    where = error.where
    return {
        "machine": isinstance(error, MachineError),
        "message": error.message,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "hint": error.hint,
        "code": error.code,
    }


def _end_when_alone() -> None:
    """Wait for the end of stdin, which comes when whoever waits is gone, then end the group."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
