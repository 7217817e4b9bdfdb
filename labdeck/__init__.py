"""labdeck: talks in Markdown whose plots and numbers come from PyTorch code that really ran."""

from __future__ import annotations

__version__ = "0.1.0"
