"""A finished self-check, its lines taken apart."""

import io
import re
from typing import NamedTuple

from bot.admin.check import run


class Line(NamedTuple):
    """What was printed on one part."""

    state: str
    text: str
    remedy: str


class Checked:
    """A finished check: its exit status, all that it printed, and the lines by part."""

    def __init__(self, environ: dict[str, str]) -> None:
        out = io.StringIO()
        self.status = run(environ, out)
        self.printed = out.getvalue()
        found = re.findall(r"^(\w+) +(.*?): (.*)(?:\n +-> (.*))?$", self.printed.partition("\n\n")[0], re.MULTILINE)
        self.lines = {part: Line(state, text, remedy) for state, part, text, remedy in found}

    @property
    def wrong(self) -> list[str]:
        return [part for part, line in self.lines.items() if line.state == "WRONG"]

    def states(self, *parts: str) -> list[str]:
        return [self.lines[part].state for part in parts]
