"""Demos, results and findings as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .catalogue import LoadedDemo
from .contract import Text
from .expressions import plain_number
from .finding import Finding
from .results import Stored


def describe(loaded: LoadedDemo) -> dict[str, Any]:
    """A demo as plain data."""
    demo = loaded.demo
    return {
        "id": loaded.id,
        "question": demo.question if isinstance(demo.question, str) else dict(demo.question),
        "source": demo.source,
        "limit_s": demo.limit_s,
        "file": str(loaded.path),
        "parameters": [
            {
                "name": spec.name,
                "default": spec.default,
                "cuda": spec.about.cuda,
                "allowed": spec.allowed,
                "unit": spec.about.unit,
                "help": spec.about.help,
            }
            for spec in demo.params
        ],
    }


def print_demos(entries: Sequence[Mapping[str, Any]]) -> None:
    """All demos, one a row."""
    rows = [(entry["id"], english(entry["question"])) for entry in entries]
    _table(("demo", "question"), rows)


def print_demo(entry: Mapping[str, Any]) -> None:
    """One demo with its parameters."""
    print(f"{entry['id']}\n{english(entry['question'])}")
    print(f"Source: {entry['source']}\nFile: {entry['file']}\n")
    rows = [
        (p["name"], _default(p), " ".join((p["allowed"], p["unit"])).strip(), p["help"])
        for p in entry["parameters"]
    ]
    _table(("parameter", "default", "allowed", "meaning"), rows)
    name = entry["id"].partition(".")[0]
    print(f"\nIn a deck:\n  demos:\n    {name}: {entry['id']}")


def print_result(stored: Stored, why: str) -> None:
    """The numbers of a result, and where they come from."""
    rows = []
    for name, number in stored.result.numbers.items():
        spread = f" ± {number.spread:.2g}" if number.spread is not None else ""
        rows.append((name, plain_number(number) + spread, number.kind, english(number.label)))
    _table(("number", "value", "kind", "meaning"), rows)
    origin = stored.provenance
    print(
        f"\n{origin.device} · {origin.duration_s:.1f} s · seed {stored.request.seed}"
        + (f" · {why}" if why else "")
    )
    if stored.result.figures:
        print("figures: " + ", ".join(stored.result.figures))


def print_findings(findings: Sequence[Finding]) -> None:
    """What a check found, one a row: where, and below each other what, which element, remedy."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=bool(findings))
    table.add_column("place", overflow="fold", max_width=40)
    table.add_column("what is wrong, and what to do", overflow="fold")
    for finding in findings:
        said = (f"{finding.code}: {finding.message}", finding.selector, f"→ {finding.remedy}")
        spot = f"\n{finding.spot}" if finding.spot else ""
        table.add_row(f"{finding.where}{spot}", "\n".join(filter(None, said)))
    Console(markup=False).print(table)


def english(text: Text) -> str:
    """A text in English, else in any language it has."""
    if isinstance(text, str):
        return text
    return text.get("en") or next(iter(text.values()), "")


def _default(parameter: Mapping[str, Any]) -> str:
    cuda = parameter["cuda"]
    return str(parameter["default"]) + (f" (on CUDA {cuda})" if cuda is not None else "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    Console(markup=False).print(table)


def _plain(cell: str) -> str:
    return cell.replace("\n", " ")
