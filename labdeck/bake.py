"""Runs the demos that a talk asks for, each in a process of its own, and keeps their results.

One demo that fails leaves the others and all finished results alone; an interruption ends the
running demos and keeps what was finished.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from . import results
from .catalogue import Catalogue
from .contract import Progress
from .errors import DeckError, MachineError, Problem, UsageError, Where
from .machine import check_device, memory_bytes
from .process import probe_device
from .provenance import Provenance, commit_of
from .record import read_result
from .results import Fresh, Missing, Request, Stale, State, Stored
from .runner import Job, run_job

Policy = Literal["missing", "never", "all"]

DTYPES = ("float32", "float64", "float16", "bfloat16")
SHARE = 0.75  # of the memory, for all workers together


@dataclass(frozen=True)
class Conditions:
    """Under which conditions demos run.

    Args:
        device: auto, cpu, cuda or cuda:N.
        dtype: the floating type to compute in.
        threads: for torch. One is the default: demos are small, and the digits of their sums
            then depend on no number of cores.
        limit_s: instead of each demo's own time limit.
        memory_bytes: most that one demo may hold; None for a share of the machine's.
    """

    device: str = "auto"
    dtype: str = "float32"
    threads: int = 1
    limit_s: float | None = None
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        check_device(self.device)
        if self.dtype not in DTYPES:
            raise UsageError(
                f"unknown dtype `{self.dtype}`", hint="known: " + ", ".join(DTYPES), code="dtype"
            )


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    Args:
        path: the file its result is in, or would be.
        stored: the result there is now; None if there is none or it cannot be read.
        state: of that result.
        baked: whether it was computed just now.
        error: why there is no fresh result, if that is an error.
        note: which device `auto` chose and why, or why a stale result was kept.
    """

    request: Request
    path: Path
    stored: Stored | None
    state: State
    baked: bool = False
    error: DeckError | None = None
    note: str = ""

    def problem(self, where: Where | None = None) -> Problem | None:
        """The problem to report, placed at `where` unless it has a place; None if all is well."""
        if self.error is not None:
            return (self.error.at(where) if where else self.error).problem()
        if not isinstance(self.state, Stale):
            return None
        text = f"the result of `{self.request.demo}` is stale: {self.state.reason}"
        hint = self.note or "bake it again: labdeck bake <the talk>"
        return Problem("warning", "result-stale", text, where, hint)


@dataclass(frozen=True)
class Baking:
    """Where demos come from, where results go, and whom to tell.

    Args:
        progress: called with a request and how far it is, from another thread; first with
            Progress(0, 0), when the demo's process is started.
        finished: called with each outcome as it is known.
        stopped: asked several times a second; True ends the running demos.
    """

    catalogue: Catalogue
    folder: Path
    conditions: Conditions = Conditions()
    progress: Callable[[Request, Progress], None] = lambda request, progress: None
    finished: Callable[[Outcome], None] = lambda outcome: None
    stopped: Callable[[], bool] = lambda: False


def bake(
    requests: Sequence[Request], baking: Baking, *, policy: Policy = "missing", jobs: int = 1
) -> list[Outcome]:
    """Bake what the policy asks for; an outcome for each request, in their order.

    `missing` bakes what has no result or a stale one, `all` everything, `never` nothing. A stale
    result that came from CUDA is kept where this call would compute on a CPU. MachineError if
    `cuda` is asked for and not there.
    """
    outcomes = {request: _look(request, baking, policy) for request in requests}
    todo = [r for r, outcome in outcomes.items() if _wanted(outcome, policy)]
    if policy == "missing":
        outcomes |= _kept(todo, outcomes, baking)
        todo = [request for request in todo if not outcomes[request].note]
    if todo and baking.conditions.device.startswith("cuda"):
        probe_device(baking.conditions.device)
    for request, outcome in outcomes.items():
        if request not in todo:
            baking.finished(outcome)
    if todo:
        before = {request: outcomes[request] for request in todo}
        outcomes |= _bake_all(before, baking, policy, max(1, jobs))
    return [outcomes[request] for request in requests]


def compute(request: Request, baking: Baking, share: float = SHARE) -> tuple[Stored, str]:
    """Run one demo and return its result, not written anywhere, and why its device was chosen."""
    found = baking.catalogue.find(request.demo)
    how = baking.conditions
    job = Job(
        request.demo, found.layer, found.line, request.params, request.seed,
        how.device, how.dtype, how.threads, how.limit_s,
    )  # fmt: skip
    limit = how.memory_bytes or int(memory_bytes() * share)
    baking.progress(request, Progress(0, 0))
    data = run_job(job, limit, lambda p: baking.progress(request, p), baking.stopped)
    commit, dirty = commit_of(found.layer)
    provenance = Provenance(**data["provenance"], commit=commit, dirty=dirty)
    stored = Stored(request, data["params"], read_result(data), provenance)
    return stored, data["device_why"]


def _look(request: Request, baking: Baking, policy: Policy) -> Outcome:
    """What there is before anything runs; an unreadable result only matters if it is wanted."""
    path = request.path(baking.folder)
    outcome = Outcome(request, path, None, Missing())
    try:
        digest = baking.catalogue.digest(request.demo)
    except DeckError as error:
        return replace(outcome, error=error)
    try:
        stored = results.load(baking.folder, request)
    except DeckError as error:
        return outcome if policy == "all" else replace(outcome, error=error)
    state = results.state(request, digest, stored)
    outcome = replace(outcome, stored=stored, state=state)
    if stored is None and policy == "never":
        return replace(outcome, error=_not_baked(request))
    return outcome


def _not_baked(request: Request) -> DeckError:
    return DeckError(
        f"there is no baked result of `{request.demo}`{_given(request)}",
        hint="bake it: labdeck bake <the talk>, or build without --bake never",
        code="result-missing",
    )


def _given(request: Request) -> str:
    given = [f"{name}={value}" for name, value in request.params.items()]
    if request.seed:
        given.append(f"seed={request.seed}")
    return f" with {', '.join(given)}" if given else ""


def _wanted(outcome: Outcome, policy: Policy) -> bool:
    if outcome.error is not None or policy == "never":
        return False
    return policy == "all" or not isinstance(outcome.state, Fresh)


def _kept(
    todo: list[Request], outcomes: dict[Request, Outcome], baking: Baking
) -> dict[Request, Outcome]:
    """Stale results that came from CUDA, where there is none to bake them again."""
    device = baking.conditions.device
    found = {r: s for r in todo if (s := outcomes[r].stored) is not None}
    found = {r: s for r, s in found.items() if s.provenance.device_type == "cuda"}
    if not found or device.startswith("cuda"):
        return {}
    why = "`cpu` was asked for"
    if device == "auto":
        probe = probe_device(device)
        if probe["type"] == "cuda":
            return {}
        why = f"this machine gives {probe['why']}"
    return {
        request: replace(
            outcomes[request],
            note=f"kept as it is: it came from {stored.provenance.device}, and {why}; "
            "to replace it nonetheless: --bake all",
        )
        for request, stored in found.items()
    }


def _bake_all(
    before: dict[Request, Outcome], baking: Baking, policy: Policy, jobs: int
) -> dict[Request, Outcome]:
    """Bake in `jobs` processes at a time; any exception here ends them all."""
    stop = threading.Event()
    inner = replace(baking, stopped=lambda: stop.is_set() or baking.stopped())
    done: dict[Request, Outcome] = {}
    with ThreadPoolExecutor(jobs, "labdeck-bake") as pool:
        try:
            left = {
                pool.submit(_bake_one, outcome, inner, policy, SHARE / jobs)
                for outcome in before.values()
            }
            while left:
                finished, left = wait(left, return_when=FIRST_COMPLETED)
                for outcome in (future.result() for future in finished):
                    done[outcome.request] = outcome
                    baking.finished(outcome)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return done


def _bake_one(before: Outcome, baking: Baking, policy: Policy, share: float) -> Outcome:
    """Bake one request and write its result; an error leaves what was there before."""
    try:
        stored, note = compute(before.request, baking, share)
        results.write(baking.folder, stored)
    except MachineError as error:
        if policy == "missing" and before.stored is not None:
            return replace(before, note=f"kept as it is: {error.message}")
        return replace(before, error=error)
    except DeckError as error:
        return replace(before, error=error)
    return Outcome(before.request, before.path, stored, Fresh(), baked=True, note=note)
