"""The machine a demo runs on: which device, what people call it, how much memory there is."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import MachineError, UsageError

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")
_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Device:
    """A device that is there.

    Args:
        name: for torch: "cpu" or "cuda:0".
        label: what people call it, e.g. the CPU's model.
        why: how it came to be chosen; "" where it was asked for.
    """

    name: str
    label: str
    why: str = ""

    @property
    def type(self) -> str:
        return self.name.partition(":")[0]


def check_device(device: str) -> str:
    """`device` as it is; UsageError unless it is auto, cpu, cuda or cuda:N."""
    if not _DEVICE.fullmatch(device):
        raise UsageError(
            f"unknown device `{device}`", hint="say auto, cpu, cuda or cuda:N", code="device"
        )
    return device


def settle(device: str, *, torch_needed: bool = True) -> Device:
    """The device to compute on: `auto` takes CUDA if torch has it, `cuda` insists on it.

    Imports torch, unless `cpu` was asked for or `auto` is to serve what needs no torch.
    """
    check_device(device)
    if device == "cpu":
        return Device("cpu", cpu_label())
    if device == "auto" and not torch_needed:
        return Device("cpu", cpu_label(), "cpu: the demo does not use torch")
    lack, count = _cuda_state()
    if device == "auto" and lack:
        return Device("cpu", cpu_label(), f"cpu: {lack}")
    name = "cuda:0" if device in ("auto", "cuda") else device
    if lack is None and int(name.partition(":")[2]) >= count:
        lack = f"torch sees {count} CUDA device{'s' if count > 1 else ''}, numbered from 0"
    if lack:
        raise MachineError(
            f"`{device}` was asked for, but {lack}",
            hint="take `auto` or `cpu`, or run it on a machine with such a GPU",
            code="device",
        )
    label = _cuda_label(name)
    return Device(name, label, f"{name}: {label}" if device == "auto" else "")


def cpu_label() -> str:
    """The CPU's model as the system names it."""
    try:
        for line in (_PROC / "cpuinfo").read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return " ".join(value.split())
    except OSError:
        pass  # no Linux; platform knows a shorter name
    return platform.processor() or platform.machine() or "unknown CPU"


def memory_bytes() -> int:
    """The memory this process may hope for: the machine's, or less where a cgroup says so."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (_CGROUP / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def peak_memory_bytes(device: str) -> int:
    """The most memory used so far: the device's on CUDA, else this process's."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    try:
        for line in (_PROC / "self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # no Linux; getrusage counts in bytes on macOS and from the start of the process
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cuda_state() -> tuple[str | None, int]:
    """(what CUDA lacks or None, number of devices)."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed", 0
    import torch

    version: Any = torch.__version__
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return f"torch {version} is built without CUDA", 0
    if not torch.cuda.is_available():
        return f"torch {version} sees no CUDA device", 0
    return None, int(torch.cuda.device_count())


def _cuda_label(name: str) -> str:
    import torch

    return str(torch.cuda.get_device_name(name))


def resident_bytes(pid: int) -> int:
    """The memory that a process and those it started hold now; 0 once it is gone."""
    if not _PROC.is_dir():
        return _resident_by_ps(pid)
    total = 0
    todo = [pid]
    while todo:
        folder = _PROC / str(todo.pop())
        try:
            pages = int((folder / "statm").read_text().split()[1])
            total += pages * os.sysconf("SC_PAGE_SIZE")
            for children in folder.glob("task/*/children"):
                todo.extend(int(child) for child in children.read_text().split())
        except (OSError, IndexError):
            continue  # it ended while we looked
    return total


def _resident_by_ps(pid: int) -> int:
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False)
    return int(done.stdout.strip() or 0) * 1024
