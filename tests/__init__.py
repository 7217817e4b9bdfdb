"""Tests; a package, so that its conftest and that of tests/demos keep apart."""
