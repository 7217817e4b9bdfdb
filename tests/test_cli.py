"""The commands in process: what they print, where, and how they end. Two real processes last."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labdeck import __version__, cli, site
from labdeck.errors import DeckError, Problems
from labdeck.settings import OPTIONS
from tests.conftest import TOY_DEMO, Project, Ran

MakeProject = Callable[..., Project]
Toy = Callable[..., Project]


def test_build_says_what_it_did(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A"})
    ran = made.build()
    files = len(made.site())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"1 talk, {files} files written: _site/index.html\n"


def test_without_a_command_build_is_meant(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A"})
    assert made.run().out == made.run("build", "--out", "_site").out.replace(
        "nothing changed", f"{len(made.site())} files written"
    )


def test_without_slides_the_working_folder_is_built(project: MakeProject) -> None:
    made = project({"a.md": "# A"})
    assert made.run().code == 0 and "a.html" in made.site()


def test_flags_win_over_the_deck(project: MakeProject) -> None:
    made = project({"slides/a.md": "---\ntheme: moon\nrevealOptions: {width: 5}\n---\n# A"})
    assert made.build("--theme", "sky", "-R", "width=7", "--reveal-option", "x.y=no").code == 0
    page = made.page()
    assert "theme/sky.css" in page and '"width": 7' in page and '"x": {"y": "no"}' in page


def test_every_option_of_a_deck_is_a_flag(project: MakeProject) -> None:
    help = project({}).build("--help").out
    for option in OPTIONS:
        assert option.flag in help
    assert "-R, --reveal-option KEY=VALUE" in help


def test_mermaid_can_be_switched_off(project: MakeProject) -> None:
    made = project({"slides/a.md": "```mermaid [1]\na\n```"})
    assert made.build("--mermaid", "false").code == 0
    assert "data-line-numbers" in made.page()


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_the_version(project: MakeProject, flag: str) -> None:
    assert project({}).run(flag) == Ran(0, f"labdeck, version {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands(project: MakeProject, flag: str) -> None:
    ran = project({}).run(flag)
    assert ran.code == 0 and ran.out.startswith("Usage: labdeck [OPTIONS] COMMAND [ARGS]...")
    for command in ("build", "bake", "new", "demo"):
        assert f"\n  {command} " in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--nosuch"], "Error: No such option '--nosuch'"),
        (["nosuch"], "Error: No such command 'nosuch'"),
        (["build", "--bake", "x"], "'x' is not one of 'missing', 'never', 'all'"),
        (["build", "a", "b"], "Got unexpected extra argument"),
        (["build", "--jobs", "0"], "0 is not in the range x>=1"),
        (["build", "--threads", "0"], "0 is not in the range x>=1"),
        (["build", "--time-limit", "0"], "0.0 is not in the range x>0"),
        (["new"], "Error: Missing argument 'FOLDER'"),
        (["build", "-R", "x"], "--reveal-option x: write KEY=VALUE, e.g. transition=zoom"),
        (
            ["demo", "run", "toy.measure", "rank"],
            "`rank`: write a parameter as NAME=VALUE, e.g. rank=8",
        ),
        (
            ["build", "-R", "a=1", "-R", "a.b=2"],
            "--reveal-option a.b=2: `a` has a value already",
        ),
        (["build", "nosuch.md"], "no such file or folder"),
    ],
)
def test_wrong_usage_ends_with_2(project: MakeProject, arguments: list[str], message: str) -> None:
    ran = project({"slides/a.md": "# A"}).run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_folder_of_others_is_not_built_into(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A", "out/mine.txt": "m"})
    ran = made.build("--out", "out")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{made.root}/out: error: this folder holds files that labdeck did not write\n"
        "    → choose an empty folder with --out\n"
    )
    assert list(made.site("out")) == ["mine.txt"]


def test_missing_assets_end_with_3(
    built: MakeProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = built({"slides/a.md": "# A"})
    before = made.site()
    made.write({"slides/a.md": "$new$"})
    monkeypatch.setattr(site, "assets_root", lambda: tmp_path / "nosuch")
    ran = made.build()
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        "error: browser asset katex/katex.min.js is missing: No such file or directory\n"
        '    → install labdeck again: pip install -e ".[dev]", or pip install labdeck\n'
    )
    assert made.site() == before


def test_an_interrupt_ends_with_130(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    made = project({"slides/a.md": "# A"})
    monkeypatch.setattr(site, "build", interrupt)
    ran = made.build()
    assert (ran.code, ran.err.strip()) == (130, "stopped; finished results are kept")


def test_errors_and_warnings_are_counted() -> None:
    problems = Problems()
    assert cli._count(problems) == "0 errors, 0 warnings"
    problems.error(DeckError("x"))
    problems.warn("c", "y")
    problems.warn("c", "z")
    assert cli._count(problems) == "1 error, 2 warnings"


# Demos


def test_build_bakes_what_is_missing_and_bakes_it_once(toy: Toy) -> None:
    made = toy("{{ toy.loss }}")
    next((made.root / "slides/baked").glob("*.json")).unlink()
    ran = made.build("--device", "cpu")
    assert ran.code == 0 and "running toy.measure …\nbaked   toy.measure in " in ran.err
    assert 'value="0.5"' in made.page()
    assert made.build("--device", "cpu").err == ""


def test_bake_only_bakes(toy: Toy) -> None:
    made = toy("{{ toy.loss }}")
    assert made.run("bake", "--device", "cpu").out == "0 of 1 results baked\n"
    ran = made.run("bake", "--bake", "all", "--device", "cpu")
    assert ran.code == 0 and ran.out.startswith("1 of 1 results baked\n")
    assert not (made.root / "_site").exists()


def test_bake_reports_a_demo_that_nothing_declares(toy: Toy) -> None:
    made = toy("x")
    made.write({"slides/a.md": "---\ndemos:\n  t: toy.mesure\n---\nx"})
    ran = made.run("bake")
    assert ran.code == 1
    assert ran.err == (
        "slides/a.md:3:3: error: unknown demo `toy.mesure`\n    → did you mean `toy.measure`?\n"
    )


def test_demo_list_as_json_and_as_a_table(toy: Toy) -> None:
    made = toy("x")
    entries = {entry["id"]: entry for entry in json.loads(made.run("demo", "list", "--json").out)}
    assert entries["toy.measure"]["question"] == {"en": "How large?", "zh": "多大？"}
    table = made.run("demo", "list").out.splitlines()
    assert table[0].split() == ["demo", "question"]
    assert ["toy.measure", "How", "large?"] in [line.split() for line in table]


def test_demo_list_reports_what_cannot_be_read(toy: Toy) -> None:
    made = toy("x")
    made.write({"demos/broken/demo.py": "def ("})
    ran = made.run("demo", "list")
    assert ran.code == 1 and "toy.measure" in ran.out
    assert "demos/broken/demo.py:1: error: " in ran.err


def test_demo_show(toy: Toy) -> None:
    out = toy("x").run("demo", "show", "toy.measure").out
    assert out.startswith("toy.measure\nHow large?\nSource: Nobody, 2025, equation 1\nFile: ")
    assert out.endswith("In a deck:\n  demos:\n    toy: toy.measure\n")


def test_demo_run_prints_numbers_and_keeps_nothing(toy: Toy) -> None:
    made = toy("x")
    before = sorted((made.root / "slides").rglob("*"))
    ran = made.run("demo", "run", "toy.measure", "--device", "cpu", "--seed", "3")
    assert ran.code == 0
    assert ["loss", "0.500", "measured"] in [line.split() for line in ran.out.splitlines()]
    assert " · seed 3" in ran.out
    assert sorted((made.root / "slides").rglob("*")) == before


def test_demo_run_as_json(toy: Toy) -> None:
    made = toy("x")
    ran = made.run("demo", "run", "toy.measure", "--device", "cpu", "--json")
    data = json.loads(ran.out)
    assert data["demo"] == "toy.measure" and data["numbers"]["loss"]["value"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "toy.mesure"],
            "demo run toy.mesure: error: unknown demo `toy.mesure`\n"
            "    → did you mean `toy.measure`?\n",
        ),
        (
            ["show", "toy.mesure"],
            "error: unknown demo `toy.mesure`\n    → did you mean `toy.measure`?\n",
        ),
    ],
)
def test_an_unknown_demo(toy: Toy, arguments: list[str], message: str) -> None:
    ran = toy("x").run("demo", *arguments)
    assert (ran.code, ran.err) == (1, message)


def test_demo_run_with_a_wrong_parameter(toy: Toy) -> None:
    ran = toy("x").run("demo", "run", "toy.measure", "rank=8", "--device", "cpu")
    assert ran.code == 1
    assert "unknown parameter `rank`\n    → its parameters: none\n" in ran.err


def test_a_demo_that_needs_a_gpu_ends_with_3(toy: Toy) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert toy("x").run("demo", "run", "toy.measure", "--device", "cuda").code == 3


# New


def test_new_starts_a_talk_that_builds(project: MakeProject) -> None:
    made = project({})
    ran = made.run("new", "talks")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "now: cd talks && labdeck build"
    for line in ran.out.splitlines()[:-1]:
        assert (made.root / line).is_file()


def test_new_leaves_a_folder_that_holds_something_alone(project: MakeProject) -> None:
    made = project({"talks/x": "x"})
    ran = made.run("new", "talks")
    assert ran.code == 2
    assert ran.err == (
        "talks: error: this folder is not empty\n    → name a new folder: labdeck new my-talks\n"
    )


# Real processes


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    root = Path(cli.__file__).parent.parent
    command = [sys.executable, str(root / "build.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False
    )


def test_a_process_builds_and_ends_with_0(project: MakeProject) -> None:
    made = project({"slides/a.md": "# A", "demos/toy/demo.py": TOY_DEMO})
    done = process("build", cwd=made.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert ">A</h1>" in made.page()


def test_a_process_ends_with_1_where_the_talk_has_problems(project: MakeProject) -> None:
    made = project({"slides/a.md": "$\\nosuch$"})
    done = process(cwd=made.root)
    assert done.returncode == 1 and done.stderr.startswith("slides/a.md:1:2: error: TeX: ")
