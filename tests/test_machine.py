from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labdeck import machine
from labdeck.errors import MachineError, UsageError
from labdeck.machine import Device, settle


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_cuda_state", lambda: (None, 2))
    monkeypatch.setattr(machine, "_cuda_label", lambda name: f"GPU at {name}")


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_cuda_state", lambda: ("torch 9 sees no CUDA device", 0))


@pytest.mark.usefixtures("cuda")
def test_auto_takes_cuda_where_there_is_one() -> None:
    assert settle("auto") == Device("cuda:0", "GPU at cuda:0", "cuda:0: GPU at cuda:0")
    assert settle("cuda") == Device("cuda:0", "GPU at cuda:0")
    assert settle("cuda:1") == Device("cuda:1", "GPU at cuda:1")
    assert settle("cuda:1").type == "cuda"
    assert settle("cpu").name == settle("auto", torch_needed=False).name == "cpu"


@pytest.mark.usefixtures("cuda")
def test_a_device_number_that_is_not_there() -> None:
    with pytest.raises(MachineError) as caught:
        settle("cuda:2")
    assert str(caught.value) == (
        "error: `cuda:2` was asked for, but torch sees 2 CUDA devices, numbered from 0\n"
        "    → take `auto` or `cpu`, or run it on a machine with such a GPU"
    )


@pytest.mark.usefixtures("no_cuda")
def test_without_cuda_auto_says_why_and_cuda_fails() -> None:
    assert settle("auto").why == "cpu: torch 9 sees no CUDA device"
    with pytest.raises(MachineError) as caught:
        settle("cuda:0")
    assert caught.value.message == "`cuda:0` was asked for, but torch 9 sees no CUDA device"


def test_an_unknown_device_is_wrong_usage() -> None:
    for name in ("gpu", "cuda:", "cuda:x", "CPU", ""):
        with pytest.raises(UsageError, match=f"unknown device `{name}`"):
            settle(name)


def test_the_cpu_needs_no_torch_and_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert settle("cpu") == Device("cpu", machine.cpu_label())
    assert settle("auto").why == "cpu: torch is not installed"
    assert machine.cpu_label()


def test_the_cpu_label_is_the_model_the_system_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\n")
    monkeypatch.setattr(machine, "_PROC", tmp_path)
    assert machine.cpu_label() == "Some CPU @ 2 GHz"


def test_memory_is_what_the_cgroup_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    whole = machine.memory_bytes()
    assert whole == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory_bytes() == whole
    (tmp_path / "memory.max").write_text("1048576\n")
    assert machine.memory_bytes() == 1048576


@pytest.mark.parametrize("proc", [True, False])
def test_the_memory_a_process_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proc: bool
) -> None:
    if not proc:
        monkeypatch.setattr(machine, "_PROC", tmp_path / "nowhere")
    held = bytearray(b"x" * 50_000_000)
    assert machine.resident_bytes(os.getpid()) > len(held)
    assert machine.peak_memory_bytes("cpu") > len(held)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert machine.resident_bytes(ended.pid) == 0
