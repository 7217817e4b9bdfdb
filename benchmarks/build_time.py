"""Measure whole builds against reveal-md: seconds and CPU-seconds, in alternating rounds.

    python benchmarks/build_time.py                    # the lab talk of decks.py
    python benchmarks/build_time.py --long 1000        # 1,000 slides, formulas, code
    python benchmarks/build_time.py path/to/deck.md

Each round runs every tool once for each mode: `cold` in a folder that was never built, `same`
once more with nothing changed, `edit` after one slide changed. reveal-md leaves rendering to the
browser and keeps nothing between builds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import contenders
import decks
from contenders import Contender, Cost
from provenance import provenance, save

MODES = ("cold", "same", "edit")
Samples = dict[tuple[str, str], list[Cost]]


def main() -> None:
    args = parse_args()
    tools = [contenders.labdeck(), contenders.reveal_md()]
    samples: Samples = {(mode, tool.name): [] for mode in MODES for tool in tools}
    for turn in range(args.rounds + 1):
        for tool in tools if turn % 2 else reversed(tools):
            for mode, cost in one_round(args, tool, turn).items():
                if turn:  # the first round warms the disk and Python's bytecode
                    samples[mode, tool.name].append(cost)
    about = provenance(**{tool.name: tool.version for tool in tools})
    about |= {"deck": title(args), "rounds": args.rounds}
    results = [summary(mode, tool, samples) for mode in MODES for tool in tools]
    show(about, results)
    save(args.json, about, results)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("deck", nargs="?", type=Path, help="a deck; its folder is copied with it")
    parser.add_argument("--long", type=int, metavar="N", help="a generated deck of N slides")
    parser.add_argument("--rounds", type=int, default=9)
    default = Path(__file__).parent / "results/build_time.json"
    parser.add_argument("--json", type=Path, default=default, help="where the numbers go")
    return parser.parse_args()


def title(args: argparse.Namespace) -> str:
    if args.deck:
        return str(args.deck.name)
    return f"generated, {args.long} slides" if args.long else "generated lab talk, 10 slides"


def prepare(args: argparse.Namespace, folder: Path) -> Path:
    """Write the deck into an empty folder."""
    if args.deck:
        return decks.given(folder, args.deck.resolve())
    return decks.long_talk(folder, args.long) if args.long else decks.lab_talk(folder)


def one_round(args: argparse.Namespace, tool: Contender, turn: int) -> dict[str, Cost]:
    """One tool, all modes, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as scratch:
        deck = prepare(args, Path(scratch) / "talk")
        out = Path(scratch) / "out"
        costs = {"cold": contenders.run(tool, deck, out)}
        costs["same"] = contenders.run(tool, deck, out)
        decks.change_one_slide(deck, turn)
        costs["edit"] = contenders.run(tool, deck, out)
        return costs


def summary(mode: str, tool: Contender, samples: Samples) -> dict[str, Any]:
    """Minimum, median and maximum, and the median as a share of reveal-md's in this run."""
    row: dict[str, Any] = {"mode": mode, "tool": tool.name}
    for unit in ("cpu_s", "wall_s"):
        values = [getattr(cost, unit) for cost in samples[mode, tool.name]]
        peer = statistics.median(getattr(cost, unit) for cost in samples[mode, "reveal-md"])
        middle = statistics.median(values)
        row[unit] = {"min": min(values), "median": middle, "max": max(values), "all": values}
        row[unit]["ratio"] = middle / peer
    return row


def show(about: dict[str, Any], results: list[dict[str, Any]]) -> None:
    heading = (
        f"{about['deck']} · {about['rounds']} rounds · {about['cpu']} · load {about['load']:.1f}"
    )
    table = Table(title=heading, caption="min / median / max; ratio of medians to reveal-md's")
    for column in ("mode", "tool", "CPU-seconds", "ratio", "seconds", "ratio"):
        table.add_column(column, no_wrap=True)
    for row in results:
        cells = [row["mode"], row["tool"]]
        for unit in ("cpu_s", "wall_s"):
            cells.append(" / ".join(f"{row[unit][key]:.3f}" for key in ("min", "median", "max")))
            cells.append(f"{row[unit]['ratio']:.2f}")
        table.add_row(*cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
