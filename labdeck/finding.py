"""What `check` finds: one fault of a talk, its place in the source and in the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Problem, Severity, Where


@dataclass(frozen=True)
class Spot:
    """A place in a page: the slide as its address counts it (from 0), the step, an element.

    Args:
        h, v: the numbers of `#/h/v`.
        step: the first step at which it shows; 0 is the slide before any fragment.
        selector: of the element, within the slide.
    """

    h: int
    v: int
    step: int | None = None
    selector: str = ""

    def __str__(self) -> str:
        return f"#/{self.h}/{self.v}" + (f" step {self.step}" if self.step else "")


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a talk.

    Args:
        code: the slug that tools know it by.
        message: what is wrong, with its values.
        where: file and line, as near as they are known.
        remedy: what to do.
        spot: where in the page, None for what belongs to no slide.
        values: the measures behind the message, as plain data.
        severity: `error` where the page could not be built.
    """

    code: str
    message: str
    where: Where
    remedy: str
    spot: Spot | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "warning"

    @property
    def selector(self) -> str:
        """Of the element, "" if there is none."""
        return self.spot.selector if self.spot else ""

    @classmethod
    def of_problem(cls, problem: Problem) -> Finding:
        """A problem of the build."""
        where = problem.where or Where("")
        values = {"snippet": problem.snippet} if problem.snippet else {}
        hint = problem.hint or ""
        return cls(problem.code, problem.message, where, hint, None, values, problem.severity)

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        spot = self.spot
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.where.file,
            "line": self.where.line,
            "column": self.where.column,
            "slide": {"h": spot.h, "v": spot.v} if spot else None,
            "step": spot.step if spot else None,
            "selector": self.selector or None,
            "values": dict(self.values),
            "remedy": self.remedy,
        }
