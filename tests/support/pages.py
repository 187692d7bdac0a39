"""The documentation as tests read it: pages, their sections, tables, code and links."""

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]

USER_PAGES = {"en": "docs/using.md", "tr": "docs/kullanim.md"}
"""The page for people who use the command, by its language."""

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
"""The text of every page, by its path."""

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return _BLOCK.sub("", text)


def blocks(text: str) -> list[str]:
    """Return the contents of a page's blocks of code."""
    return [block for _, block in _BLOCK.findall(text)]


def spans(text: str) -> list[str]:
    """Return what stands in backticks within sentences."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def headings(text: str) -> list[tuple[int, str]]:
    """Return a page's headings with their levels."""
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.*)$", prose(text), re.MULTILINE)]


def anchors(text: str) -> set[str]:
    """Return the names by which a page's headings are linked."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for _, title in headings(text)}


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures that lie in this repository."""
    return re.findall(r"\]\(\s*(?!https://)([^)\s]+)\s*\)", text)


def tables(text: str) -> list[list[list[str]]]:
    """Return the cells of each table of a page, without its head."""
    found = re.findall(r"(?:^\|.*\n?)+", prose(text), re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]] for table in found
    ]


def section(text: str, number: int) -> str:
    """Return what stands under a page's heading of the second level, by its number from 1."""
    return re.split(r"^## ", text, flags=re.MULTILINE)[number]


def commands(text: str, program: str) -> list[str]:
    """Return what follows `program` wherever a page shows it as code."""
    shown = "\n".join([*blocks(text), *spans(text)])
    return re.findall(rf"(?:^|(?<=[ /])){program} (.+)", shown, re.MULTILINE)


def shell_blocks(text: str) -> list[str]:
    """Return a page's blocks of commands for a shell, without the indentation of a list."""
    return [dedent(block) for kind, block in _BLOCK.findall(text) if kind == "sh"]
