"""What can be wrong with a talk: places, errors and the collector of problems.

Nothing here prints or exits; `labdeck.cli` does both.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Where:
    """A place in a file; lines and columns count from 1, None where there is none."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True)
class Problem:
    """One thing wrong: what, where, what to do, and the slug that tests and `check` know it by."""

    severity: Severity
    code: str
    message: str
    where: Where | None = None
    hint: str | None = None
    snippet: str | None = None

    def __str__(self) -> str:
        head = f"{self.where}: " if self.where else ""
        text = f"{head}{self.severity}: {self.message}"
        if self.snippet:
            text += "\n" + "\n".join(f"    {line}" for line in self.snippet.splitlines())
        if self.hint:
            text += f"\n    → {self.hint}"
        return text


class DeckError(Exception):
    """A problem that ends the work on one deck.

    Low levels raise it without a place; whoever knows the place calls `at`.
    """

    def __init__(
        self,
        message: str,
        where: Where | None = None,
        hint: str | None = None,
        *,
        code: str = "error",
        snippet: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.code = code
        self.snippet = snippet

    def at(self, where: Where) -> DeckError:
        """This error if it has a place, else one of the same kind with this place."""
        if self.where is not None:
            return self
        placed = type(self).__new__(type(self))
        placed.__dict__.update(self.__dict__)
        placed.args = self.args
        placed.where = where
        return placed

    def problem(self) -> Problem:
        return Problem("error", self.code, self.message, self.where, self.hint, self.snippet)

    def __str__(self) -> str:
        return str(self.problem())


class MachineError(DeckError):
    """The machine lacks something: a GPU, a package, a browser, a free port (exit code 3)."""


class UsageError(DeckError):
    """The command was called wrongly: no such file, no such option value (exit code 2)."""


@dataclass
class Problems:
    """All problems of a run, in the order found; the same one twice is kept once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        if problem not in self.found:
            self.found.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def warn(
        self, code: str, message: str, where: Where | None = None, hint: str | None = None
    ) -> None:
        self.add(Problem("warning", code, message, where, hint))

    def error(self, error: DeckError) -> None:
        self.add(error.problem())

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.found if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.found if problem.severity == "warning"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known words, else all of them."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"
    if not names:
        return "there is nothing to choose from"
    return "known: " + ", ".join(names)
