"""The programs under measurement: their command lines and versions, and one timed run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / ".peers/node_modules"


@dataclass(frozen=True)
class Contender:
    """A tool that turns a deck into a folder; `command` takes both paths."""

    name: str
    version: str
    command: Callable[[Path, Path], list[str]]


@dataclass(frozen=True)
class Cost:
    """What one whole process took, its children included."""

    wall_s: float
    cpu_s: float


def labdeck() -> Contender:
    source = (ROOT / "labdeck/__init__.py").read_text(encoding="utf-8")
    version = source.split('__version__ = "')[1].split('"')[0]

    def command(deck: Path, out: Path) -> list[str]:
        return [sys.executable, str(ROOT / "build.py"), "build", str(deck), "--out", str(out)]

    return Contender("labdeck", version, command)


def reveal_md() -> Contender:
    folder = PEERS / "reveal-md"
    if not folder.is_dir():
        sys.exit("reveal-md is not installed\n    → run benchmarks/install_peers.sh")
    node = shutil.which("node") or sys.exit("there is no node on PATH")
    version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]

    def command(deck: Path, out: Path) -> list[str]:
        return [node, str(folder / "bin/reveal-md.js"), deck.name, "--static", str(out)]

    return Contender("reveal-md", version, command)


def run(contender: Contender, deck: Path, out: Path) -> Cost:
    """Run one build in the deck's folder; end everything with its output if it fails."""
    command = contender.command(deck, out)
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=deck.parent,
        env=os.environ | {"XDG_CACHE_HOME": str(deck.parent / ".cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stdout:
        process.stdout.close()
    if process.returncode != 0 or deck_page(out) is None:
        sys.exit(f"{' '.join(command)}\nended with {process.returncode}:\n{output.decode()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def deck_page(out: Path) -> Path | None:
    """The page with the slides in a built folder, None where the build left none."""
    for page in sorted(out.rglob("*.html"), key=lambda path: (len(path.parts), path.name)):
        if 'class="reveal' in page.read_text(encoding="utf-8") and "plugin" not in page.parts:
            return page
    return None
