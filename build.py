"""The command from a clone: `python build.py` is `labdeck`."""

from __future__ import annotations

import sys

from labdeck.cli import main

if __name__ == "__main__":
    sys.exit(main())
