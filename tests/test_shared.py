"""The checkers of ../shared, where that folder is: the seed deck, and the cases marked H."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project

SHARED = Path(__file__).parent.parent.parent / "shared"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="there is no folder ../shared"),
]
MakeProject = Callable[..., Project]


@pytest.fixture
def seed(project: MakeProject) -> Project:
    """The source deck, built."""
    made = project({})
    (deck,) = (SHARED / "seeds").glob("000_*")
    ran = made.build(str(deck))
    assert ran.code == 0
    missing = [line for line in ran.err.splitlines() if not line.startswith("    →")]
    assert missing and all(re.match(r"\S+:\d+(:\d+)?: warning: ", line) for line in missing)
    return made


def test_the_source_deck_has_ten_slides_in_four_stacks(seed: Project) -> None:
    page = seed.page("index.html")
    sections = re.findall(r"<(/?)section\b", page)
    stacks: list[int] = []
    depth = inner = 0
    for end in sections:
        if not end:
            depth += 1
            inner += depth == 2
        else:
            depth -= 1
            if depth == 0:
                stacks.append(inner or 1)
                inner = 0
    assert stacks == [1, 5, 2, 2] and sum(stacks) == 10


def test_the_source_deck_keeps_its_options(seed: Project) -> None:
    page = seed.page("index.html")
    assert '"width": 1000' in page and '"slideNumber": "c/t"' in page
    assert 'class="katex-display"' in page and "<h1" in page


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium on PATH")
def test_every_case_marked_h_agrees(project: MakeProject) -> None:
    made = project({})
    cases = SHARED / "format/cases"
    made.build(str(cases), "--out", "_site")
    checker = [sys.executable, str(SHARED / "tools/check_format.py"), str(made.root / "_site")]
    done = subprocess.run(
        [*checker, "--cases", str(cases), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    rows = [row for row in json.loads(done.stdout)["rows"] if row["decision"] == "H"]
    marked = [p for p in cases.glob("*/expect.json") if '"decision": "H"' in p.read_text("utf-8")]
    assert len(rows) == len(marked) > 0
    assert [row for row in rows if row["result"] != "ok"] == []
