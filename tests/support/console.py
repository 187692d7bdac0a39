"""The console as a person runs it: `python -m bot console` in a process of its own."""

import subprocess

from tests.support.program import run_to_end
from tests.support.served import inherited


def console(*arguments: str, typed: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot console` with arguments and with what is typed at its prompt."""
    return run_to_end("console", *arguments, env={**inherited(), **environ}, typed=typed)
