"""The console as a person runs it: `python -m bot console` in a process of its own."""

from __future__ import annotations

import subprocess

from tests.support.program import run
from tests.support.served import inherited


def console(*arguments: str, typed: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot console` with arguments and with what is typed at its prompt."""
    return run("console", *arguments, env={**inherited(), **environ}, typed=typed)
