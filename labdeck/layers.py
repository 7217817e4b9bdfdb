"""Where templates and demos are looked for: the author's own, the project's, the bundled ones."""

from __future__ import annotations

from pathlib import Path


def bundled_root() -> Path:
    """The folder with the bundled templates/ and demos/: inside a wheel, or the checkout's root."""
    inside = Path(__file__).parent / "bundled"
    return inside if inside.is_dir() else Path(__file__).parent.parent


def assets_root() -> Path:
    """The folder with reveal.js, KaTeX, highlight.js and plotly.js, put there by the build hook."""
    return Path(__file__).parent / "_assets"


def layers(project: Path, kind: str) -> list[Path]:
    """Existing folders of a kind ("templates", "demos"), the one that wins first."""
    candidates = [project / "custom" / kind, project / kind, bundled_root() / kind]
    found: list[Path] = []
    for folder in candidates:
        if folder.is_dir() and folder.resolve() not in [f.resolve() for f in found]:
            found.append(folder)
    return found
