from __future__ import annotations

import errno
import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labdeck import bake as baking_module
from labdeck import layers, process, results, runner
from labdeck.bake import Baking, Conditions, Outcome, bake, compute
from labdeck.catalogue import Catalogue
from labdeck.contract import Progress
from labdeck.errors import DeckError, MachineError, UsageError, Where
from labdeck.results import Fresh, Missing, Request, Stale, Stored

HEAD = """\
import os, signal, sys, time
from typing import Annotated
from labdeck.contract import (
    ContractError, DemoUnavailable, Figure, Number, Param, Result, Run, Table, demo
)

OK = Result({"n": Number(1)})

"""

GOOD = """
@demo(question="q", source="s")
def good(
    run: Run,
    size: Annotated[int, Param("how many", low=1, high=9, cuda=5)] = 2,
    repeats: Annotated[int, Param("runs", low=1, high=9)] = 3,
) -> Result:
    for step in range(size):
        run.step(step + 1, size, loss=1 / (step + 1))
    figure = Figure({"data": [{"y": [0.1, size]}], "layout": {}}, "alt")
    return Result({"n": Number(size * FACTOR), "seed": Number(run.seed)}, {"f": figure})

FACTOR = 10
"""

BAD_LINE = HEAD.count("\n") + 3  # of the first line in a bad demo's function


def bad(body: str, limit_s: float = 60) -> str:
    """A demo called `bad` with a body; its `def` is on line BAD_LINE - 1 of the file."""
    head = f'@demo(question="q", source="s", limit_s={limit_s})\ndef bad(run: Run) -> Result:\n'
    return HEAD + head + textwrap.indent(textwrap.dedent(body), "    ")


@pytest.fixture(autouse=True)
def no_bundled_demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "bundled_root", lambda: tmp_path / "bundled")


def project(folder: Path, **topics: str) -> Baking:
    for topic, text in topics.items():
        path = folder / "demos" / topic / "demo.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Baking(Catalogue(folder), folder / "baked", Conditions(device="cpu"))


def again(baking: Baking, **changes: object) -> Baking:
    """The same with a new catalogue, which sees changed sources."""
    return replace(baking, catalogue=Catalogue(baking.catalogue.project), **changes)


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for(path: Path) -> str:
    """The content of a file that another process writes; fails if it never does."""
    for _ in range(600):
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.1)
    raise AssertionError(f"{path} was never written")


def wait_until_gone(pid: int) -> None:
    for _ in range(100):
        if not alive(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError(f"process {pid} outlived whoever waited for it")


# What is baked, and when


def test_baking_writes_results_with_where_they_come_from(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    outcomes: list[Outcome] = []
    baking = replace(
        project(tmp_path, a=HEAD + GOOD),
        progress=lambda request, p: steps.append((request.demo, p.step, p.total)),
        finished=outcomes.append,
    )
    request = Request("a.good", {"size": 4}, 7)
    assert bake([request], baking) == outcomes
    (outcome,) = outcomes
    assert outcome.baked and outcome.state == Fresh() and outcome.problem() is None
    assert outcome.path == request.path(tmp_path / "baked") and outcome.path.exists()
    stored = results.load(tmp_path / "baked", request)
    assert stored is not None and outcome.stored == stored
    assert stored.params == {"size": 4, "repeats": 3}
    assert {name: number.value for name, number in stored.result.numbers.items()} == {
        "n": 40,
        "seed": 7,
    }
    found = stored.provenance
    assert (found.device_type, found.dtype, found.seed) == ("cpu", "float32", 7)
    assert (found.repeats, found.threads) == (3, 1)
    assert found.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found.source_digest == baking.catalogue.digest("a.good")
    assert found.device and found.peak_memory_bytes > 0 and found.started.endswith("+00:00")
    assert steps[0] == ("a.good", 0, 0) and steps[-1] == ("a.good", 4, 4)


def test_two_runs_give_the_same_bytes_but_for_time_and_memory(tmp_path: Path) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    (one,) = bake([Request("a.good")], baking)
    first = one.path.read_text("utf-8").splitlines()
    (two,) = bake([Request("a.good")], baking, policy="all")
    second = two.path.read_text("utf-8").splitlines()
    different = {a.split('"')[1] for a, b in zip(first, second, strict=True) if a != b}
    assert different <= {"started", "duration_s", "peak_memory_bytes"}


def test_only_what_is_missing_or_stale_is_baked(tmp_path: Path) -> None:
    other = GOOD.replace("def good", "def other").replace("FACTOR", "OTHER")
    baking = project(tmp_path, a=HEAD + GOOD + other)
    requests = [Request("a.good"), Request("a.other"), Request("a.good", {"size": 3})]
    assert [o.baked for o in bake(requests, baking)] == [True, True, True]
    assert [o.baked for o in bake(requests, again(baking))] == [False, False, False]

    project(tmp_path, a=HEAD + GOOD + other.replace("OTHER = 10", "OTHER = 11"))
    outcomes = bake(requests, again(baking), policy="never")
    assert [o.state for o in outcomes] == [Fresh(), Stale("sources changed"), Fresh()]
    assert str(outcomes[1].problem(Where("slides/talk.md", 4))) == (
        "slides/talk.md:4: warning: the result of `a.other` is stale: sources changed\n"
        "    → bake it again: labdeck bake <the talk>"
    )
    assert [o.baked for o in bake(requests, again(baking))] == [False, True, False]
    assert [o.baked for o in bake(requests, again(baking), policy="all")] == [True, True, True]


def test_the_same_request_twice_is_baked_once(tmp_path: Path) -> None:
    finished: list[Outcome] = []
    baking = replace(project(tmp_path, a=HEAD + GOOD), finished=finished.append)
    one, two = bake([Request("a.good", {"size": 3}), Request("a.good", {"size": 3.0})], baking)
    assert one is two and finished == [one]


def test_never_baking_names_what_is_missing(tmp_path: Path) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    (outcome,) = bake([Request("a.good", {"size": 3}, 2)], baking, policy="never")
    assert outcome.state == Missing()
    assert str(outcome.problem(Where("slides/talk.md", 4))) == (
        "slides/talk.md:4: error: there is no baked result of `a.good` with size=3, seed=2\n"
        "    → bake it: labdeck bake <the talk>, or build without --bake never"
    )


def test_a_damaged_result_is_an_error_until_all_is_baked(tmp_path: Path) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    path = Request("a.good").path(tmp_path / "baked")
    path.parent.mkdir()
    path.write_text("{", "utf-8")
    (outcome,) = bake([Request("a.good")], baking)
    assert outcome.error is not None and not outcome.baked
    assert outcome.error.message.startswith("the result is no JSON: ")
    (outcome,) = bake([Request("a.good")], baking, policy="all")
    assert outcome.baked and outcome.error is None


def test_an_unknown_demo_leaves_the_others_alone(tmp_path: Path) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    unknown, good = bake([Request("a.god"), Request("a.good")], baking)
    assert str(unknown.problem(Where("t.md", 2))) == (
        "t.md:2: error: unknown demo `a.god`\n    → did you mean `a.good`?"
    )
    assert good.baked


@pytest.mark.parametrize(
    ("params", "message", "hint"),
    [
        ({"size": 10}, "parameter `size` must be an integer from 1 to 9, got 10", "how many"),
        ({"size": "3"}, "parameter `size` must be an integer from 1 to 9, got '3'", "how many"),
        ({"sise": 3}, "unknown parameter `sise`", "did you mean `size`?"),
    ],
)
def test_wrong_parameters_are_told_before_anything_runs(
    tmp_path: Path, params: dict[str, int], message: str, hint: str
) -> None:
    text = GOOD.replace("    for step", f"    open({str(tmp_path / 'ran')!r}, 'w')\n    for step")
    baking = project(tmp_path, a=HEAD + text)
    (outcome,) = bake([Request("a.good", params)], baking)
    assert str(outcome.problem(Where("t.md", 2))) == (
        f"t.md:2: error: demo `a.good`: {message}\n    → {hint}"
    )
    assert not (tmp_path / "ran").exists()


def test_several_at_once_give_the_same_outcomes_in_order(tmp_path: Path) -> None:
    text = bad("raise ValueError").replace("def bad", "def worse")
    baking = project(tmp_path, a=HEAD + GOOD, b=text)
    requests = [Request("a.good", {"size": n}) for n in (3, 1, 2)]
    requests.insert(1, Request("b.worse"))
    outcomes = bake(requests, baking, jobs=3)
    assert [o.request for o in outcomes] == requests
    assert [o.baked for o in outcomes] == [True, False, True, True]


def test_computing_without_a_deck_writes_nothing(tmp_path: Path) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    stored, note = compute(Request("a.good", {"size": 3}), baking)
    assert stored.result.numbers["n"].value == 30
    assert note == ""
    assert not (tmp_path / "baked").exists()


def test_a_full_disk_keeps_the_earlier_result_and_bakes_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    (outcome,) = bake([Request("a.good")], baking)
    before = outcome.path.read_bytes()
    project(tmp_path, a=HEAD + GOOD.replace("FACTOR = 10", "FACTOR = 11"))
    full = iter([True, False])
    real = os.fsync

    def fsync(handle: int) -> None:
        if next(full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    one, two = bake([Request("a.good"), Request("a.good", {"size": 1})], again(baking))
    assert one.error is not None
    assert one.error.message == "cannot write the result: No space left on device"
    assert one.path.read_bytes() == before and one.state == Stale("sources changed")
    assert two.baked


# How a demo can fail


def failure(tmp_path: Path, text: str, **conditions: object) -> DeckError:
    """The error that baking the demo `bad` ends in; the demo beside it is baked all the same."""
    baking = project(tmp_path, t=text, a=HEAD + GOOD)
    how = replace(baking.conditions, **conditions)
    outcome, good = bake([Request("t.bad"), Request("a.good")], replace(baking, conditions=how))
    assert good.baked and good.error is None
    assert outcome.error is not None and not outcome.baked and not outcome.path.exists()
    return outcome.error


def place(tmp_path: Path, line: int) -> str:
    return f"{tmp_path}/demos/t/demo.py:{line}"


def test_a_demo_that_raises(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("x = 1\nprint('so far')\nx / 0"))
    assert error.message == "demo `t.bad` failed: ZeroDivisionError: division by zero"
    assert str(error.where) == place(tmp_path, BAD_LINE + 2)
    assert error.hint == "run it alone with: labdeck demo run t.bad"
    assert error.snippet is not None
    said = error.snippet.splitlines()
    assert said[:2] == ["so far", "Traceback (most recent call last):"]
    assert said[2] == f'  File "{tmp_path}/demos/t/demo.py", line {BAD_LINE + 2}, in bad'
    assert said[-1] == "ZeroDivisionError: division by zero"


def test_a_demo_that_raises_in_a_library_is_placed_at_its_own_line(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("import json\njson.loads('{')"))
    assert error.message.startswith("demo `t.bad` failed: JSONDecodeError: Expecting property")
    assert str(error.where) == place(tmp_path, BAD_LINE + 1)


def test_a_demo_that_exits(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("sys.exit(3)"))
    assert error.message == "demo `t.bad` failed: SystemExit: 3"


def test_a_demo_that_hangs(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("print('waiting')\nwhile True: time.sleep(1)", limit_s=0.5))
    assert str(error) == (
        f"{place(tmp_path, BAD_LINE - 1)}: error: demo `t.bad` did not end within 0.5 s\n"
        "    waiting\n"
        "    → give it smaller parameters or more time: --time-limit, or limit_s in its @demo"
    )


def test_a_limit_given_by_the_caller_comes_before_the_demos(tmp_path: Path) -> None:
    baking = project(tmp_path, t=bad("while True: time.sleep(1)", limit_s=1000))
    baking = replace(baking, conditions=Conditions(device="cpu", limit_s=0.25))
    (outcome,) = bake([Request("t.bad")], baking)
    assert outcome.error is not None
    assert outcome.error.message == "demo `t.bad` did not end within 0.25 s"


def test_a_demo_that_hangs_while_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LOAD_LIMIT_S", 1.0)
    baking = project(tmp_path, t=bad("return OK") + "\nwhile True: time.sleep(1)\n")
    (outcome,) = bake([Request("t.bad")], baking)
    assert str(outcome.error) == (
        f"{place(tmp_path, BAD_LINE - 1)}: error: demo `t.bad` was not loaded within 1 s\n"
        "    → its module must import quickly; heavy work belongs into the function"
    )


def test_a_demo_that_eats_the_memory(tmp_path: Path) -> None:
    body = """
    kept = []
    for _ in range(100):
        kept.append(bytearray(b"x" * 2**23))
        time.sleep(0.02)
    return OK
    """
    error = failure(tmp_path, bad(body), memory_bytes=200 * 2**20)
    assert str(error) == (
        f"{place(tmp_path, BAD_LINE - 1)}: error: demo `t.bad` used more than 200 MiB of memory\n"
        "    → give it smaller parameters, or a machine with more memory"
    )


def test_the_memory_of_processes_a_demo_starts_counts_too(tmp_path: Path) -> None:
    body = """
    import subprocess
    eat = "import time; x = b'x' * (300 * 2**20); time.sleep(600)"
    subprocess.run([sys.executable, "-c", eat])
    """
    error = failure(tmp_path, bad(body), memory_bytes=200 * 2**20)
    assert error.message == "demo `t.bad` used more than 200 MiB of memory"


@pytest.mark.parametrize("name", ["MemoryError", "OutOfMemoryError"])
def test_a_demo_that_is_refused_memory(tmp_path: Path, name: str) -> None:
    body = f"class OutOfMemoryError(RuntimeError): pass\nraise {name}('no room for 9 GiB')"
    error = failure(tmp_path, bad(body))
    assert error.message == f"demo `t.bad` ran out of memory: {name}: no room for 9 GiB"
    assert error.hint == "give it smaller parameters, or a device with more memory"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SIGKILL", "often the system ends a process so when memory runs out"),
        ("SIGSEGV", "native code crashed; see what it printed"),
    ],
)
def test_a_demo_that_is_killed(tmp_path: Path, name: str, hint: str) -> None:
    body = f"print('last words', flush=True)\nos.kill(os.getpid(), signal.{name})"
    error = failure(tmp_path, bad(body))
    assert str(error) == (
        f"{place(tmp_path, BAD_LINE - 1)}: error: demo `t.bad` was killed by {name}\n"
        f"    last words\n    → {hint}"
    )


def test_a_demo_that_ends_its_process(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("os._exit(0)"))
    assert error.message == "demo `t.bad` ended its process with exit code 0 and no result"
    assert error.hint == "it must return a Result, and let nothing call os._exit"


EVENTS = "pipe = int(sys.argv[1])\n"


def test_a_process_that_dies_in_the_middle_of_its_result(tmp_path: Path) -> None:
    body = EVENTS + 'os.write(pipe, b\'{"result": {"numbers"\')\nos._exit(1)'
    error = failure(tmp_path, bad(body))
    assert error.message == "demo `t.bad` ended its process with exit code 1 and no result"


def test_a_demo_that_writes_into_the_pipe_of_results(tmp_path: Path) -> None:
    error = failure(tmp_path, bad(EVENTS + "os.write(pipe, b'hello\\n')\nreturn OK"))
    assert error.message == "demo `t.bad` wrote into the pipe that its result goes through"
    assert error.hint == "it must write to files it opened itself, not to numbered descriptors"


def test_a_result_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "EVENT_BYTES", 2**20)
    figure = 'Figure({"data": [{"y": [0.5] * 300_000}], "layout": {}}, "alt")'
    error = failure(tmp_path, bad(f'return Result({{"n": Number(1)}}, {{"f": {figure}}})'))
    assert error.message == "demo `t.bad` returned more than 1 MiB"
    assert error.hint == "draw fewer points"


def test_a_demo_that_prints_without_end(tmp_path: Path) -> None:
    body = "while True: print('x' * 1000 + 'end')"
    error = failure(tmp_path, bad(body, limit_s=0.5))
    assert error.message == "demo `t.bad` did not end within 0.5 s"
    assert error.snippet is not None and len(error.snippet) <= process.TAIL_BYTES


def test_what_a_demo_prints_is_no_part_of_its_result(tmp_path: Path) -> None:
    body = "print('{\"result\": 1}\\n' * 10_000)\nos.system('echo more >&2')\nreturn OK"
    (outcome,) = bake([Request("t.bad")], project(tmp_path, t=bad(body)))
    assert outcome.baked and outcome.error is None


def test_a_demo_that_returns_something_else(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("return {'loss': 1}"))
    assert str(error) == (
        f"{place(tmp_path, BAD_LINE - 1)}: error: demo `t.bad` returned dict, not Result\n"
        "    → end it with `return Result(numbers={…})`"
    )


def test_a_result_that_breaks_the_contract(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("return Result({'loss': Number(float('nan'))})"))
    assert error.message == "demo `t.bad`: a Number must be finite, got nan"
    assert str(error.where) == place(tmp_path, BAD_LINE)


def test_a_figure_that_json_cannot_hold(tmp_path: Path) -> None:
    figure = 'Figure({"data": [{"y": {1}}], "layout": {}}, "alt")'
    error = failure(tmp_path, bad(f'return Result({{"n": Number(1)}}, {{"f": {figure}}})'))
    assert error.message == "demo `t.bad`: `figures.f.spec.data[0].y` is a set, not a plain value"
    assert error.hint == "turn arrays and tensors into lists with .tolist()"


def test_a_demo_that_says_it_cannot_run_here(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("raise DemoUnavailable('needs sm90, found sm75')"))
    assert isinstance(error, MachineError)
    assert str(error) == (
        "error: demo `t.bad` cannot run here: needs sm90, found sm75\n"
        "    → run it on a machine that can; a result baked there builds anywhere"
    )


def test_a_demo_that_cannot_be_loaded(tmp_path: Path) -> None:
    error = failure(tmp_path, bad("return OK") + "\n\nundefined\n")
    assert error.message == (
        "demo `t.bad` cannot be loaded: NameError: name 'undefined' is not defined"
    )
    assert str(error.where) == place(tmp_path, BAD_LINE + 2)


def test_a_demo_cannot_import_what_lies_beside_the_engine(tmp_path: Path) -> None:
    """A checkout has build.py, tests and demos beside labdeck; an installation has not."""
    error = failure(tmp_path, bad("import hatch_build"))
    assert error.message == (
        "demo `t.bad` failed: ModuleNotFoundError: No module named 'hatch_build'"
    )


def test_a_demo_works_in_a_folder_of_its_own(tmp_path: Path) -> None:
    body = "open('left.txt', 'w')\nassert os.listdir() == ['left.txt']\nreturn OK"
    before = sorted(os.listdir())
    (outcome,) = bake([Request("t.bad")], project(tmp_path, t=bad(body)))
    assert outcome.baked and sorted(os.listdir()) == before


def test_an_earlier_result_survives_a_failure(tmp_path: Path) -> None:
    baking = project(tmp_path, t=bad("return OK"))
    (outcome,) = bake([Request("t.bad")], baking)
    before = outcome.path.read_bytes()
    project(tmp_path, t=bad("raise ValueError('now wrong')"))
    (outcome,) = bake([Request("t.bad")], again(baking))
    assert outcome.error is not None
    assert outcome.error.message == "demo `t.bad` failed: ValueError: now wrong"
    assert outcome.path.read_bytes() == before
    assert outcome.stored is not None and outcome.state == Stale("sources changed")


# Devices


NO_TORCH = "import sys\nsys.modules['torch'] = None\n"


@pytest.fixture
def without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes find no torch."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_TORCH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))


@pytest.fixture
def from_cuda(tmp_path: Path) -> Iterator[tuple[Baking, Path]]:
    """A baked result that says it came from a CUDA device, and is stale."""
    baking = project(tmp_path, a=HEAD + GOOD)
    (outcome,) = bake([Request("a.good")], baking)
    stored = outcome.stored
    assert isinstance(stored, Stored)
    provenance = replace(stored.provenance, device="NVIDIA H200", device_type="cuda")
    results.write(tmp_path / "baked", replace(stored, provenance=provenance))
    (outcome,) = bake([Request("a.good")], again(baking))
    assert outcome.state == Fresh() and not outcome.baked
    project(tmp_path, a=HEAD + GOOD.replace("FACTOR = 10", "FACTOR = 11"))
    yield again(baking), outcome.path


def test_auto_says_what_it_chose_and_why(tmp_path: Path) -> None:
    baking = replace(project(tmp_path, a=HEAD + GOOD), conditions=Conditions())
    (outcome,) = bake([Request("a.good")], baking)
    assert outcome.note == "cpu: the demo does not use torch"


def test_auto_without_torch_is_the_cpu(tmp_path: Path, without_torch: None) -> None:
    text = bad("try: import torch\nexcept ImportError: pass\nreturn OK")
    baking = replace(project(tmp_path, t=text), conditions=Conditions())
    stored, note = compute(Request("t.bad"), replace(baking, conditions=Conditions()))
    assert note == "cpu: torch is not installed"
    assert stored.provenance.device_type == "cpu"


def test_a_demo_that_needs_torch_where_there_is_none(tmp_path: Path, without_torch: None) -> None:
    error = failure(tmp_path, bad("import torch"))
    assert isinstance(error, MachineError)
    assert str(error) == (
        "error: demo `t.bad` needs torch, which is not installed\n"
        "    → install what demos need: pip install 'labdeck[demos]'"
    )


def test_without_torch_a_stale_result_is_kept(tmp_path: Path, without_torch: None) -> None:
    baking = project(tmp_path, t=bad("return OK"))
    assert bake([Request("t.bad")], baking)[0].baked
    project(tmp_path, t=bad("import torch\nreturn OK"))
    (outcome,) = bake([Request("t.bad")], again(baking))
    assert str(outcome.problem()) == (
        "warning: the result of `t.bad` is stale: sources changed\n"
        "    → kept as it is: demo `t.bad` needs torch, which is not installed"
    )
    (outcome,) = bake([Request("t.bad")], again(baking), policy="all")
    assert isinstance(outcome.error, MachineError)


def test_cuda_never_falls_back(tmp_path: Path, without_torch: None) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    with pytest.raises(MachineError) as caught:
        bake([Request("a.good")], replace(baking, conditions=Conditions(device="cuda")))
    assert str(caught.value) == (
        "error: `cuda` was asked for, but torch is not installed\n"
        "    → take `auto` or `cpu`, or run it on a machine with such a GPU"
    )
    assert not (tmp_path / "baked").exists()


def test_cuda_is_not_looked_for_when_nothing_is_to_be_baked(
    tmp_path: Path, without_torch: None
) -> None:
    baking = project(tmp_path, a=HEAD + GOOD)
    assert bake([Request("a.good")], baking)[0].baked
    cuda = again(baking, conditions=Conditions(device="cuda"))
    assert bake([Request("a.good")], cuda)[0].state == Fresh()


def test_a_stale_result_from_cuda_is_kept_where_there_is_none(
    from_cuda: tuple[Baking, Path], without_torch: None
) -> None:
    baking, path = from_cuda
    before = path.read_bytes()
    for device, why in (
        ("auto", "this machine gives cpu: torch is not installed"),
        ("cpu", "`cpu` was asked for"),
    ):
        (outcome,) = bake(
            [Request("a.good")], replace(baking, conditions=Conditions(device=device))
        )
        assert str(outcome.problem()) == (
            "warning: the result of `a.good` is stale: sources changed\n"
            f"    → kept as it is: it came from NVIDIA H200, and {why}; "
            "to replace it nonetheless: --bake all"
        )
        assert path.read_bytes() == before and not outcome.baked
    (outcome,) = bake([Request("a.good")], baking, policy="all")
    assert outcome.baked and path.read_bytes() != before


def test_a_stale_result_from_cuda_is_baked_where_there_is_one(
    from_cuda: tuple[Baking, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    baking, _ = from_cuda
    probed: list[str] = []

    def probe(device: str) -> dict[str, str]:
        probed.append(device)
        return {"type": "cuda", "why": ""}

    monkeypatch.setattr(baking_module, "probe_device", probe)
    (outcome,) = bake([Request("a.good")], replace(baking, conditions=Conditions()))
    assert outcome.baked and probed == ["auto"]


def test_a_torch_that_crashes_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('libtorch.so is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        process.probe_device("auto")
    assert str(caught.value) == (
        "error: cannot find out which devices torch sees: CalledProcessError\n"
        "    libtorch.so is broken\n"
        '    → see whether `python -c "import torch"` works'
    )


def test_wrong_conditions_are_wrong_usage() -> None:
    with pytest.raises(UsageError) as caught:
        Conditions(device="gpu")
    assert str(caught.value) == ("error: unknown device `gpu`\n    → say auto, cpu, cuda or cuda:N")
    with pytest.raises(UsageError) as caught:
        Conditions(dtype="fp8")
    assert str(caught.value) == (
        "error: unknown dtype `fp8`\n    → known: float32, float64, float16, bfloat16"
    )


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_torch_is_seeded_and_its_threads_are_as_asked(tmp_path: Path) -> None:
    body = """
    import random, torch
    values = [random.random(), torch.rand(()).item()]
    drawn = torch.rand((), generator=run.generator()).item()
    exact = torch.are_deterministic_algorithms_enabled()
    return Result({
        "python": Number(values[0]), "torch": Number(values[1]), "run": Number(drawn),
        "threads": Number(torch.get_num_threads()), "exact": Number(int(exact)),
    })
    """
    baking = project(tmp_path, t=bad(body))
    how = Conditions(device="cpu", threads=1)
    one, two = (
        compute(Request("t.bad", {}, 5), replace(baking, conditions=how))[0] for _ in range(2)
    )
    assert one.result.numbers == two.result.numbers
    assert one.result.numbers["threads"].value == one.provenance.threads == 1
    assert one.result.numbers["exact"].value == 1


# Interruptions


SCRIPT = """
import sys
from pathlib import Path
from labdeck import layers
from labdeck.bake import Baking, Conditions, bake
from labdeck.catalogue import Catalogue
from labdeck.results import Request
folder = Path(sys.argv[1])
layers.bundled_root = lambda: folder / "bundled"
baking = Baking(Catalogue(folder), folder / "baked", Conditions(device="cpu"))
bake([Request("a.good"), Request("t.bad"), Request("a.good", {"size": 1})], baking)
"""


@pytest.fixture
def baking_forever(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that bakes one result and then a demo that never ends, in two processes."""
    body = f"""
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open({str(tmp_path / "half")!r}, "w") as file:
        file.write(f"{{os.getpid()}} {{child.pid}}")
    os.rename({str(tmp_path / "half")!r}, {str(tmp_path / "pids")!r})
    child.wait()
    """
    project(tmp_path, a=HEAD + GOOD, t=bad(body, limit_s=600))
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.PIPE,
    )
    with script:
        yield script
        script.kill()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_keeps_what_is_finished_and_leaves_no_process(
    tmp_path: Path, baking_forever: subprocess.Popen[bytes], number: int
) -> None:
    pids = [int(pid) for pid in wait_for(tmp_path / "pids").split()]
    assert len(pids) == 2 and all(alive(pid) for pid in pids)
    baking_forever.send_signal(number)
    assert baking_forever.wait(60) == -number
    for pid in pids:
        wait_until_gone(pid)
    (path,) = (tmp_path / "baked").iterdir()
    assert path == Request("a.good").path(tmp_path / "baked")
    assert json.loads(path.read_text())["numbers"]["n"]["value"] == 20


def test_a_run_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    body = "run.step(1, 2)\nwhile True: time.sleep(1)"

    def progress(request: Request, progress: Progress) -> None:
        if progress.step == 1:
            stop.set()

    baking = replace(
        project(tmp_path, t=bad(body, limit_s=600)), progress=progress, stopped=stop.is_set
    )
    (outcome,) = bake([Request("t.bad")], baking)
    assert str(outcome.error) == (
        f"{place(tmp_path, BAD_LINE - 1)}: error: demo `t.bad` was stopped"
    )


def test_a_listener_that_raises_ends_the_baking(tmp_path: Path) -> None:
    def progress(request: Request, progress: Progress) -> None:
        raise RuntimeError("the terminal is gone")

    baking = replace(project(tmp_path, a=HEAD + GOOD), progress=progress)
    with pytest.raises(RuntimeError, match="the terminal is gone"):
        bake([Request("a.good"), Request("a.good", {"size": 1})], baking)
    assert not (tmp_path / "baked").exists()
