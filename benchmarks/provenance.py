"""Where and when numbers were obtained, written beside them."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def provenance(**versions: str) -> dict[str, Any]:
    """Machine, versions, commit and date; the load tells whether the machine was at rest."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "node": said("node", "--version"),
        "commit": said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "versions": versions,
    }


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def said(*command: str) -> str:
    """What a command prints, "" where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def save(path: Path, about: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Write numbers with their provenance as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"provenance": about, "results": results}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
