"""The console as a person runs it: `python -m bot console` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.served import inherited

ROOT = Path(__file__).parents[2]


def console(*arguments: str, typed: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot console` with arguments and with what is typed at its prompt."""
    return subprocess.run(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-m", "bot", "console", *arguments],
        cwd=ROOT,
        env={**inherited(), **environ},
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
