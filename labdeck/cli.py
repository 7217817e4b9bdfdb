"""The commands. The only place that prints, and the only one that chooses an exit code.

0 fine · 1 the talk has problems · 2 wrong usage · 3 the machine lacks something
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .errors import DeckError, MachineError, Problems, UsageError, Where
from .settings import OPTIONS
from .yamlish import scalar

if TYPE_CHECKING:
    from .bake import Conditions, Outcome
    from .catalogue import Catalogue
    from .results import Request

PROBLEMS, USAGE, MACHINE = 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        result = cli.main(arguments or ["build"], prog_name="labdeck", standalone_mode=False)
        return int(result or 0)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; finished results are kept", err=True)
        return 130
    except DeckError as error:
        click.echo(str(error), err=True)
        return _code(error)


def _code(error: DeckError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    return MACHINE if isinstance(error, MachineError) else PROBLEMS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", prog_name="labdeck")
def cli() -> None:
    """Talks in Markdown whose plots and numbers come from PyTorch code that really ran.

    Without a command: build.
    """


def deck_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A flag for every option of a deck, and --reveal-option for those of reveal.js."""
    command = click.option(
        "-R", "--reveal-option", "reveal_options", multiple=True, metavar="KEY=VALUE",
        help="an option of reveal.js, e.g. -R transition=zoom; wins over the deck",
    )(command)  # fmt: skip
    for option in reversed(OPTIONS):
        command = click.option(option.flag, option.field, metavar="TEXT", help=option.about)(
            command
        )
    return command


def demo_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Flags of the commands that may run demos."""
    for flag, settings in reversed(_DEMO_FLAGS):
        command = click.option(flag, **settings)(command)
    return command


_DEMO_FLAGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--device", {"default": "auto", "show_default": True, "help": "auto, cpu, cuda or cuda:N"}),
    ("--dtype", {"default": "float32", "show_default": True, "help": "floating type of demos"}),
    (
        "--threads",
        {"type": click.IntRange(1), "default": 1, "show_default": True, "help": "for torch"},
    ),
    (
        "--time-limit",
        {"type": click.FloatRange(0, min_open=True), "help": "seconds a demo may take"},
    ),
    (
        "--jobs",
        {"type": click.IntRange(1), "default": 1, "show_default": True, "help": "demos at once"},
    ),
)


def _conditions(values: Mapping[str, Any]) -> Conditions:
    from .bake import Conditions

    return Conditions(values["device"], values["dtype"], values["threads"], values["time_limit"])


def _flags(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the command line by their key in decks."""
    flags = {o.key: values[o.field] for o in OPTIONS if values.get(o.field) is not None}
    if flags.get("mermaid") is not None:
        flags["mermaid"] = scalar(flags["mermaid"])
    reveal: dict[str, Any] = {}
    for item in values.get("reveal_options", ()):
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--reveal-option {item}: write KEY=VALUE, e.g. transition=zoom")
        inner = reveal
        *path, last = key.split(".")
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise UsageError(f"--reveal-option {item}: `{part}` has a value already")
        inner[last] = scalar(value)
    return flags | ({"revealOptions": reveal} if reveal else {})


def _target(target: Path | None) -> Path:
    if target is None:
        target = Path("slides") if Path("slides").is_dir() else Path(".")
    return _absolute(target)


def _absolute(path: Path) -> Path:
    """An absolute path without `..`; links are kept."""
    return Path(os.path.abspath(path))


@cli.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out",
    default="_site",
    show_default=True,
    type=click.Path(path_type=Path),
    help="folder of the site",
)
@click.option("--strict", is_flag=True, help="any warning is an error, and then nothing is written")
@click.option("--bake", "policy", type=click.Choice(["missing", "never", "all"]), default="missing",
              show_default=True, help="which results of demos to compute")  # fmt: skip
@demo_options
@deck_options
def build(target: Path | None, out: Path, strict: bool, policy: str, **values: Any) -> int:
    """Build a deck, or all decks of a folder, into a static site (default: slides/)."""
    from .site import Job, find_project
    from .site import build as build_site

    deck = _target(target)
    job = Job(deck, find_project(deck, Path.cwd()), _absolute(out), _flags(values), strict)
    outcome = build_site(job, _baker(policy, values))
    shown = os.path.relpath(out / outcome.index) if outcome.index else str(out)
    code = _report(outcome.problems, strict)
    if strict and code:
        click.echo(f"nothing written: {_count(outcome.problems)} (--strict)", err=True)
    else:
        for page in outcome.failed:
            click.echo(f"{page}: not built; the last good page, if any, was kept", err=True)
        _say_built(len(outcome.pages), len(outcome.written.changed), shown)
    return code


def _say_built(pages: int, changed: int, shown: str) -> None:
    if pages:
        files = f"{_several(changed, 'file')} written" if changed else "nothing changed"
        click.echo(f"{_several(pages, 'talk')}, {files}: {shown}")


def _count(problems: Problems) -> str:
    errors, warnings = len(problems.errors), len(problems.warnings)
    return f"{_several(errors, 'error')}, {_several(warnings, 'warning')}"


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _report(problems: Problems, strict: bool) -> int:
    """Print all problems; the exit code."""
    for problem in problems.found:
        click.echo(str(problem), err=True)
    return PROBLEMS if problems.errors or (strict and problems.found) else 0


def _baker(policy: Any, values: Mapping[str, Any]) -> Any:
    """Answers a deck's requests, with a progress bar while demos run."""

    def answer(requests: list[Request], folder: Path, catalogue: Catalogue) -> list[Outcome]:
        from .bake import Baking, bake
        from .progress import watch

        with watch() as (progress, finished):
            baking = Baking(catalogue, folder, _conditions(values), progress, finished)
            return bake(requests, baking, policy=policy, jobs=values["jobs"])

    return answer


@cli.command("bake")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--bake", "policy", type=click.Choice(["missing", "all"]), default="missing",
              show_default=True, help="which results to compute")  # fmt: skip
@demo_options
def bake_command(target: Path | None, policy: str, **values: Any) -> int:
    """Run the demos that decks name, and keep their results in baked/ beside them."""
    from .site import Job, bake_decks, find_project

    deck = _target(target)
    job = Job(deck, find_project(deck, Path.cwd()), _absolute(Path("_site")))
    problems, outcomes = bake_decks(job, _baker(policy, values))
    code = _report(problems, strict=False)
    baked = sum(outcome.baked for outcome in outcomes)
    click.echo(f"{baked} of {len(outcomes)} results baked")
    return code


@cli.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="findings and a summary as JSON")
@click.option("--chromium", type=click.Path(path_type=Path), help="the browser's program")
@deck_options
def check(target: Path | None, as_json: bool, chromium: Path | None, **values: Any) -> int:
    """Say what is wrong with a talk, looking at every slide in Chromium; runs no demo."""
    from .check import check as check_talks
    from .listing import print_findings
    from .site import Job, find_project

    deck = _target(target)
    job = Job(deck, find_project(deck, Path.cwd()), _absolute(Path("_site")), _flags(values))
    report = check_talks(job, chromium)
    if as_json:
        click.echo(json.dumps(report.plain(), ensure_ascii=False, indent=1))
    else:
        print_findings(report.findings)
        looked = f"{_several(report.talks, 'talk')}, {_several(report.slides, 'slide')}"
        click.echo(f"{_several(len(report.findings), 'finding')} in {looked}")
    return PROBLEMS if report.findings else 0


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
def new(folder: Path, lang: str) -> None:
    """Start a folder for talks, with a first talk in it."""
    from .scaffold import scaffold

    for path in scaffold(folder, lang):
        click.echo(path)
    click.echo(f"now: cd {folder} && labdeck build")


@cli.group()
def demo() -> None:
    """List, describe and run demos without a deck."""


def _catalogue() -> Catalogue:
    from .catalogue import Catalogue

    return Catalogue(Path.cwd())


@demo.command("list")
@click.option("--json", "as_json", is_flag=True)
def demo_list(as_json: bool) -> int:
    """Every demo with the question it answers."""
    from .listing import describe, print_demos

    catalogue = _catalogue()
    problems = Problems()
    for error in catalogue.broken():
        problems.error(error)
    entries = []
    for id in catalogue.ids():
        try:
            entries.append(describe(catalogue.get(id)))
        except DeckError as error:
            problems.error(error)
    click.echo(json.dumps(entries, ensure_ascii=False, indent=1)) if as_json else print_demos(
        entries
    )
    return _report(problems, strict=False)


@demo.command("show")
@click.argument("id")
@click.option("--json", "as_json", is_flag=True)
def demo_show(id: str, as_json: bool) -> None:
    """A demo's question, source, parameters and how to name it in a deck."""
    from .listing import describe, print_demo

    entry = describe(_catalogue().get(id))
    click.echo(json.dumps(entry, ensure_ascii=False, indent=1)) if as_json else print_demo(entry)


@demo.command("run")
@click.argument("id")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]…")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="the whole result as JSON")
@demo_options
def demo_run(id: str, parameters: tuple[str, ...], seed: int, as_json: bool, **values: Any) -> None:
    """Run a demo and print its numbers; nothing is kept."""
    from .bake import Baking, compute
    from .listing import print_result
    from .progress import watch
    from .results import Request

    given = dict(_parameter(text) for text in parameters)
    with watch() as (progress, finished):
        baking = Baking(_catalogue(), Path.cwd(), _conditions(values), progress, finished)
        try:
            stored, why = compute(Request(id, given, seed), baking)
        except DeckError as error:
            raise error.at(Where(f"demo run {id}")) from error
    click.echo(stored.text(), nl=False) if as_json else print_result(stored, why)


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"`{text}`: write a parameter as NAME=VALUE, e.g. rank=8")
    return name, scalar(value)
