"""A finished self-check, its lines taken apart."""

import io
from dataclasses import dataclass

from bot.admin.check import run


@dataclass(frozen=True)
class Line:
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
        self.lines: dict[str, Line] = {}
        part = ""
        for line in self.printed.partition("\n\n")[0].splitlines():
            if line.startswith("         -> "):
                self.lines[part] = Line(self.lines[part].state, self.lines[part].text, line[12:])
            else:
                state, _, rest = line.partition(" ")
                part, _, text = rest.strip().partition(": ")
                self.lines[part] = Line(state, text, "")

    @property
    def wrong(self) -> list[str]:
        return [part for part, line in self.lines.items() if line.state == "WRONG"]

    def states(self, *parts: str) -> list[str]:
        return [self.lines[part].state for part in parts]
