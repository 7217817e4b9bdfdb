"""Where a result comes from: device, versions, sources, time."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from . import __version__
from .contract import ContractError

PACKAGES = ("numpy", "plotly", "torch", "triton")
VOLATILE = ("started", "duration_s", "peak_memory_bytes")  # differ between two equal runs


@dataclass(frozen=True)
class Provenance:
    """How a result was obtained.

    Args:
        device: what people call it, e.g. "NVIDIA H200" or the CPU's model.
        device_type: cpu or cuda.
        dtype: the floating type the demo was asked to compute in.
        seed: seed of every random choice.
        threads: threads that torch used for one operation, else 1.
        repeats: the demo's parameter of that name, else 1.
        versions: of Python, labdeck and the packages demos use; null where not installed.
        source_digest: of all sources the demo reaches.
        commit: last commit that changed the demos folder, if it is in a repository.
        dirty: whether the folder differed from that commit.
        started: UTC, ISO 8601.
        duration_s: of the demo's function alone.
        peak_memory_bytes: of the device on CUDA, of the whole process on a CPU.
    """

    device: str
    device_type: str
    dtype: str
    seed: int
    threads: int
    repeats: int
    versions: Mapping[str, str | None]
    source_digest: str
    commit: str | None
    dirty: bool | None
    started: str
    duration_s: float
    peak_memory_bytes: int

    def plain(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Provenance:
        """From its plain form; ContractError where a field is missing or unknown."""
        names = {field.name for field in fields(cls)}
        if wrong := sorted(names ^ set(data)):
            raise ContractError(f"the provenance lacks or does not know `{wrong[0]}`")
        return cls(**data)


def versions() -> dict[str, str | None]:
    """Versions of what a result may depend on; nothing is imported for it."""
    found: dict[str, str | None] = {name: _version(name) for name in PACKAGES}
    return found | {"labdeck": __version__, "python": platform.python_version()}


def commit_of(folder: Path) -> tuple[str | None, bool | None]:
    """(last commit that changed a folder, does it differ from it); (None, None) outside git."""
    commit = _git(folder, "log", "-1", "--format=%H", "--", ".")
    if not commit:
        return None, None
    return commit, bool(_git(folder, "status", "--porcelain", "--", "."))


def _git(folder: Path, *args: str) -> str | None:
    import subprocess

    git = shutil.which("git")
    if git is None:
        return None
    # No lock files and no helper programs: looking must change nothing in the repository.
    command = [git, "-c", "core.fsmonitor=false", "-C", str(folder), *args]
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    from importlib import metadata  # takes longer to import than a result to read

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
