"""Chromium, driven by Playwright: finding it, starting it, and opening pages without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import MachineError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)


@contextmanager
def open_chromium(path: Path | None = None) -> Iterator[Browser]:
    """A running Chromium: the one given, one on PATH, or the one that Playwright installed.

    Raises:
        MachineError: Playwright or Chromium is not there, or does not start.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError as error:
        raise MachineError(
            "looking at pages needs Playwright, which is not installed",
            hint="install it: pip install 'labdeck[check]'",
            code="playwright",
        ) from error
    with sync_playwright() as playwright:
        found = _find(path, playwright)
        try:
            browser = playwright.chromium.launch(executable_path=found, args=_arguments())
        except Error as error:
            raise MachineError(
                f"{found} does not start",
                hint="see whether it starts by hand, or name another one with --chromium",
                code="chromium",
                snippet=str(error).strip().splitlines()[0],
            ) from error
        try:
            yield browser
        finally:
            browser.close()


def _find(path: Path | None, playwright: Playwright) -> str:
    usual = [*NAMES, playwright.chromium.executable_path]
    known = [str(path), os.path.abspath(path)] if path else usual
    for name in known:
        if found := shutil.which(name):
            return found
    missing = f"there is no program {path}" if path else "there is no Chromium or Chrome"
    raise MachineError(
        missing,
        hint="install one (`apt install chromium`, or `playwright install chromium`), "
        "or say where it is with --chromium",
        code="chromium",
    )


def _arguments() -> list[str]:
    """Chromium's sandbox does not work for root, whose machines are mostly containers."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, *(["--no-sandbox"] if root else [])]
