"""Slide Markdown -> HTML: markdown-it-py's blocks under Python-Markdown, one feature a module."""

from __future__ import annotations
