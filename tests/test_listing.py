from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest

from labdeck.catalogue import LoadedDemo
from labdeck.contract import Figure, Number, Param, Result, Run, demo
from labdeck.listing import describe, english, print_demo, print_demos, print_result
from labdeck.provenance import Provenance
from labdeck.results import Request, Stored


@demo(question={"en": "How?", "zh": "怎样？"}, source="Someone, 2025", limit_s=30)
def sample(
    run: Run,
    size: Annotated[int, Param("how many", low=1, high=9, unit="MiB", cuda=5)] = 2,
    mode: Annotated[str, Param("which", choices=("sum", "mean"))] = "sum",
) -> Result: ...


LOADED = LoadedDemo("topic.sample", sample, Path("/p/demos/topic/demo.py"), Path("/p/demos"))
STORED = Stored(
    Request("topic.sample", {}, 3),
    {},
    Result(
        {
            "loss": Number(0.125, "nat", spread=0.021, label={"en": "final loss", "zh": "损失"}),
            "count": Number(12_345, kind="derived"),
        },
        {"curve": Figure({"data": [], "layout": {}}, "alt")},
    ),
    Provenance(
        "A Known CPU", "cpu", "float32", 3, 1, 1, {}, "d", None, None, "2025-01-02", 1.26, 0
    ),
)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_a_demo_as_data() -> None:
    assert describe(LOADED) == {
        "id": "topic.sample",
        "question": {"en": "How?", "zh": "怎样？"},
        "source": "Someone, 2025",
        "limit_s": 30,
        "file": "/p/demos/topic/demo.py",
        "parameters": [
            {
                "name": "size",
                "default": 2,
                "cuda": 5,
                "allowed": "an integer from 1 to 9",
                "unit": "MiB",
                "help": "how many",
            },
            {
                "name": "mode",
                "default": "sum",
                "cuda": None,
                "allowed": "one of sum, mean",
                "unit": "",
                "help": "which",
            },
        ],
    }


def test_demos_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_demos([describe(LOADED), {"id": "a.b", "question": "Why\n[red]x[/red]?"}])
    assert lines(capsys.readouterr().out) == [
        "demo          question",
        "topic.sample  How?",
        "a.b           Why [red]x[/red]?",
    ]


def test_one_demo_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    print_demo(describe(LOADED))
    assert lines(capsys.readouterr().out) == [
        "topic.sample",
        "How?",
        "Source: Someone, 2025",
        "File: /p/demos/topic/demo.py",
        "",
        "parameter  default        allowed                     meaning",
        "size       2 (on CUDA 5)  an integer from 1 to 9 MiB  how many",
        "mode       sum            one of sum, mean            which",
        "",
        "In a deck:",
        "  demos:",
        "    topic: topic.sample",
    ]


def test_a_result_with_where_it_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(STORED, "no GPU was found")
    assert lines(capsys.readouterr().out) == [
        "number  value              kind      meaning",
        "loss    0.125\u00a0nat ± 0.021  measured  final loss",
        "count   12\u202f345             derived",
        "",
        "A Known CPU · 1.3 s · seed 3 · no GPU was found",
        "figures: curve",
    ]


def test_a_result_without_figures_or_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(replace(STORED, result=Result({"n": Number(1)})), "")
    assert lines(capsys.readouterr().out)[-1] == "A Known CPU · 1.3 s · seed 3"


@pytest.mark.parametrize(
    ("text", "shown"), [("a", "a"), ({"zh": "甲", "en": "a"}, "a"), ({"zh": "甲"}, "甲"), ({}, "")]
)
def test_english_first(text: object, shown: str) -> None:
    assert english(text) == shown  # type: ignore[arg-type]
