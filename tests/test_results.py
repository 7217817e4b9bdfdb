from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest

from labdeck import results
from labdeck.contract import ContractError, Figure, Number, Param, Result, Run, Table, demo
from labdeck.errors import DeckError
from labdeck.provenance import Provenance, commit_of
from labdeck.record import plain_result
from labdeck.results import Fresh, Missing, Request, Stale, Stored

REMEDY = "bake it again: labdeck bake <the talk> --bake all"

RESULT = Result(
    {"loss": Number(0.1, "nat", spread=0.02, label={"zh": "损失", "en": "loss"}), "n": Number(3)},
    {
        "curve": Figure(
            {"data": [{"y": (1, 2.5, None)}], "layout": {}}, "falls", {"zh": {"a": "甲"}}
        )
    },
    {"rows": Table(["name", "MiB"], [["a", 1.5], ["b", 2]])},
)

PROVENANCE = Provenance(
    device="A Known CPU",
    device_type="cpu",
    dtype="float32",
    seed=1,
    threads=2,
    repeats=1,
    versions={"python": "3.11.7", "torch": None},
    source_digest="d1",
    commit=None,
    dirty=None,
    started="2025-01-02T03:04:05+00:00",
    duration_s=1.25,
    peak_memory_bytes=1000,
)

REQUEST = Request("lora.finetune", {"rank": 8}, 1)
STORED = Stored(REQUEST, {"rank": 8, "steps": 100}, RESULT, PROVENANCE)


@demo(question="q", source="s")
def finetune(
    run: Run,
    rank: Annotated[int, Param("rank", low=1, high=64)] = 4,
    steps: Annotated[int, Param("steps", low=1, high=999, cuda=500)] = 200,
) -> Result:
    return RESULT


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = results.write(tmp_path / "baked", STORED)
    assert path == REQUEST.path(tmp_path / "baked")
    again = results.load(tmp_path / "baked", REQUEST)
    assert again is not None
    assert (again.request, again.params, again.provenance) == (REQUEST, STORED.params, PROVENANCE)
    assert again.result.numbers == RESULT.numbers
    assert again.result.figures["curve"].spec == {"data": [{"y": [1, 2.5, None]}], "layout": {}}
    assert again.result.tables == RESULT.tables
    assert again.text() == path.read_text("utf-8") == STORED.text()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_file_is_for_people_and_for_diffs() -> None:
    text = STORED.text()
    assert text.endswith("}\n")
    assert '\n   "y": [1, 2.5, null]\n' in text.replace("     ", "  ")
    assert '"zh": "损失"' in text
    data = json.loads(text)
    assert list(data) == sorted(data)
    assert list(data["provenance"]) == sorted(data["provenance"])
    assert data["schema"] == 1
    assert data["given"] == {"rank": 8}
    assert data["params"] == {"rank": 8, "steps": 100}
    assert data["numbers"]["loss"] == {
        "kind": "measured",
        "label": {"en": "loss", "zh": "损失"},
        "spread": 0.02,
        "unit": "nat",
        "value": 0.1,
    }


def test_two_runs_differ_in_time_and_memory_only() -> None:
    later = replace(PROVENANCE, started="2026", duration_s=9.0, peak_memory_bytes=7)
    one, two = STORED.text(), replace(STORED, provenance=later).text()
    different = [a for a, b in zip(one.splitlines(), two.splitlines(), strict=True) if a != b]
    assert [line.split('"')[1] for line in different] == [
        "duration_s",
        "peak_memory_bytes",
        "started",
    ]


def test_the_name_of_a_file_is_readable_and_stable() -> None:
    canonical = '{"demo": "lora.finetune", "params": {"rank": 8}, "seed": 1}'
    digits = hashlib.sha256(canonical.encode()).hexdigest()[:8]
    assert REQUEST.key == f"lora.finetune-{digits}"
    assert Request("lora.finetune", {"b": 1, "a": 2}) == Request(
        "lora.finetune", {"a": 2.0, "b": 1}
    )
    keys = {
        Request("a.b").key,
        Request("a.b", {}, 1).key,
        Request("a.b", {"x": 1}).key,
        Request("a.b", {"x": True}).key,
        Request("a.b", {"x": "1"}).key,
        Request("a.b", {"x": 1.5}).key,
    }
    assert len(keys) == 6
    assert len({Request("a.b", {"x": 1}), Request("a.b", {"x": 1.0})}) == 1


def test_a_request_with_a_list_or_a_wrong_seed_is_refused() -> None:
    with pytest.raises(DeckError) as caught:
        Request("a.b", {"x": [1, 2]})  # type: ignore[dict-item]
    assert caught.value.message == "demo `a.b`: parameter `x` must be one value, got [1, 2]"
    for seed in (-1, 1.5, True, 2**31):
        with pytest.raises(DeckError) as caught:
            Request("a.b", {}, seed)  # type: ignore[arg-type]
        assert caught.value.message == (
            f"demo `a.b`: the seed must be an integer from 0 to 2147483647, got {seed!r}"
        )


def test_nothing_stored_is_missing(tmp_path: Path) -> None:
    assert results.load(tmp_path, REQUEST) is None
    assert results.load(tmp_path / "nowhere", REQUEST) is None
    assert results.state(REQUEST, "d1", None) == Missing()


def test_fresh_and_stale() -> None:
    assert results.state(REQUEST, "d1", STORED) == Fresh()
    assert results.state(REQUEST, "d2", STORED) == Stale("sources changed")
    assert results.state(REQUEST, "d2", STORED, finetune) == Stale(
        "parameters changed (steps 100 → 200)"
    )
    assert results.state(Request("lora.finetune", {"rank": 4}, 1), "d1", STORED) == Stale(
        "parameters changed (rank 8 → 4)"
    )
    assert results.state(Request("lora.finetune", {"alpha": 2}, 1), "d1", STORED) == Stale(
        "parameters changed (rank 8 → unset, alpha unset → 2)"
    )
    assert results.state(Request("lora.finetune", {"rank": 8}), "d1", STORED) == Stale(
        "seed changed (1 → 0)"
    )
    assert results.state(Request("a.b", {"rank": 8}, 1), "d1", STORED) == Stale(
        "the file holds `lora.finetune`, not `a.b`"
    )


def test_a_result_from_cuda_is_measured_by_its_own_defaults() -> None:
    provenance = replace(PROVENANCE, device="NVIDIA H200", device_type="cuda")
    stored = replace(STORED, params={"rank": 8, "steps": 500}, provenance=provenance)
    assert results.state(REQUEST, "d1", stored, finetune) == Fresh()
    assert results.state(REQUEST, "d2", stored, finetune) == Stale("sources changed")


def test_a_parameter_that_the_demo_no_longer_has_is_stale_not_an_error() -> None:
    request = Request("lora.finetune", {"gone": 1}, 1)
    stored = replace(STORED, request=request)
    assert results.state(request, "d2", stored, finetune) == Stale("sources changed")


def damaged(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DeckError) as caught:
        results.read(path)
    return str(caught.value).replace(str(path), "a.json")


def edited(**changes: object) -> str:
    data = json.loads(STORED.text())
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        inner = data
        for name in path:
            inner = inner[name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": 1,\n "demo": }', "a.json:2:10: error: the result is no JSON: Expecting value"),
        ("", "a.json:1:1: error: the result is no JSON: Expecting value"),
        (b"\xff\xfe", "a.json: error: the result is no UTF-8: invalid start byte"),
        ("[]", "a.json: error: the result is a list, not an object"),
        (edited(schema=2), "a.json: error: the result has schema 2, this labdeck reads 1"),
        (edited(schema=None), "a.json: error: the result has schema None, this labdeck reads 1"),
        (edited(demo=None), "a.json: error: the result is damaged: it lacks `demo`"),
        (edited(params=None), "a.json: error: the result is damaged: it lacks `params`"),
        (edited(checksum=None), "a.json: error: the result is damaged: it lacks `checksum`"),
        (
            edited(provenance__threads=None),
            "a.json: error: the result is damaged: the provenance lacks or does not know `threads`",
        ),
        (
            edited(numbers__loss__kind="guessed"),
            "a.json: error: the result is damaged: "
            "a Number is measured, derived or quoted, got 'guessed'",
        ),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    assert damaged(tmp_path, text) == f"{message}\n    → {REMEDY}"


@pytest.mark.parametrize(
    "change",
    [
        {"numbers__loss__value": 0.05},
        {"numbers__loss__unit": "bit"},
        {"figures__curve__spec__data": [{"y": [1, 2, 3]}]},
        {"tables__rows__rows": [["a", 1.5], ["b", 3]]},
        {"params__steps": 1000},
        {"given__rank": 16},
        {"seed": 2},
        {"provenance__device": "NVIDIA H200"},
        {"provenance__source_digest": "d2"},
    ],
)
def test_what_is_changed_by_hand_is_noticed(tmp_path: Path, change: dict[str, object]) -> None:
    assert damaged(tmp_path, edited(**change)) == (
        "a.json: error: the result was changed after it was baked: its checksum is another\n"
        f"    → {REMEDY}"
    )


def test_another_layout_of_the_same_values_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(json.loads(STORED.text()), indent=8), "utf-8")
    assert results.read(path).request == REQUEST


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(DeckError) as caught:
        results.read(tmp_path / "a.json")
    assert str(caught.value) == (
        f"{tmp_path}/a.json: error: cannot read the result: Is a directory\n    → {REMEDY}"
    )


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_earlier_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = results.write(tmp_path, STORED)
    before = path.read_bytes()

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, step, full)
    with pytest.raises(DeckError) as caught:
        results.write(tmp_path, replace(STORED, params={"rank": 1}))
    assert str(caught.value) == (
        f"{path}: error: cannot write the result: No space left on device\n"
        "    → make room and let the folder be written to; an earlier result there is as it was"
    )
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "baked").touch()
    with pytest.raises(DeckError, match="cannot write the result: File exists"):
        results.write(tmp_path / "baked", STORED)


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        (
            {"data": [{"y": [0.5, float("nan")]}], "layout": {}},
            "`figures.f.spec.data[0].y[1]` is nan, which JSON cannot hold",
            "use None",
        ),
        (
            {"data": [{"y": {1, 2}}], "layout": {}},
            "`figures.f.spec.data[0].y` is a set, not a plain value",
            "turn arrays and tensors into lists with .tolist()",
        ),
        (
            {"data": [], "layout": {1: 2}},
            "`figures.f.spec.layout` has the key 1, which is no text",
            None,
        ),
    ],
)
def test_what_json_cannot_hold_is_named(
    spec: dict[str, object], message: str, hint: str | None
) -> None:
    with pytest.raises(ContractError) as caught:
        plain_result(Result({"n": Number(1)}, {"f": Figure(spec, "alt")}))
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_the_commit_is_that_of_the_demos_folder(tmp_path: Path) -> None:
    """Committing results must not change what the next run says of its sources."""
    assert commit_of(tmp_path) == (None, None)

    def git(*args: str) -> str:
        name = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        command = ["git", *name, "-C", str(tmp_path), *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "demos").mkdir()
    (tmp_path / "demos" / "a.py").write_text("1")
    assert commit_of(tmp_path / "demos") == (None, None)
    git("add", "."), git("commit", "-m", "one")
    first = git("rev-parse", "HEAD")
    assert commit_of(tmp_path / "demos") == (first, False)
    (tmp_path / "result.json").write_text("2")
    git("add", "."), git("commit", "-m", "two")
    assert commit_of(tmp_path / "demos") == (first, False)
    (tmp_path / "demos" / "a.py").write_text("3")
    assert commit_of(tmp_path / "demos") == (first, True)


def test_reading_and_judging_results_needs_no_torch(tmp_path: Path) -> None:
    results.write(tmp_path, STORED)
    script = (
        "import sys\n"
        "for name in ('torch', 'plotly', 'numpy', 'triton'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from labdeck import bake, catalogue, results\n"
        "request = results.Request('lora.finetune', {'rank': 8}, 1)\n"
        "stored = results.load(Path(sys.argv[1]), request)\n"
        "print(results.state(request, 'd1', stored))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("Fresh()\n", "")
