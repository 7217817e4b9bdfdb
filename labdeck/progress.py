"""Progress of running demos on the terminal: bars where there is one, lines where there is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from .bake import Outcome
    from .contract import Progress
    from .results import Request

Report = Callable[["Request", "Progress"], None]
Finished = Callable[["Outcome"], None]


@contextmanager
def watch() -> Iterator[tuple[Report, Finished]]:
    """Callbacks for `bake`; what they show is gone from a terminal when the block ends."""
    view: _Lines = _BarsView() if sys.stderr.isatty() else _Lines()
    try:
        yield view.report, view.finished
    finally:
        view.close()


class _Lines:
    """One line when a demo starts, one when its result is there."""

    def report(self, request: Request, progress: Progress) -> None:
        if progress.total == 0:
            print(f"running {request.demo} …", file=sys.stderr, flush=True)

    def finished(self, outcome: Outcome) -> None:
        if outcome.baked and outcome.stored is not None:
            origin = outcome.stored.provenance
            print(
                f"baked   {outcome.request.demo} in {origin.duration_s:.1f} s on {origin.device}",
                file=sys.stderr,
            )

    def close(self) -> None:
        pass


class _BarsView(_Lines):
    """A bar for each running demo, with its latest partial numbers."""

    def __init__(self) -> None:
        self.bars: Bars | None = None
        self.tasks: dict[str, Any] = {}

    def report(self, request: Request, progress: Progress) -> None:
        bars = self._start()
        if request.key not in self.tasks:
            self.tasks[request.key] = bars.add_task(request.demo, total=None, numbers="")
        numbers = "  ".join(f"{name} {value:.3g}" for name, value in progress.numbers.items())
        bars.update(
            self.tasks[request.key],
            total=progress.total or None,
            completed=progress.step,
            numbers=numbers,
        )

    def finished(self, outcome: Outcome) -> None:
        if self.bars is not None and outcome.request.key in self.tasks:
            self.bars.remove_task(self.tasks.pop(outcome.request.key))
        super().finished(outcome)

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()

    def _start(self) -> Bars:
        if self.bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self.bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[numbers]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self.bars.start()
        return self.bars
