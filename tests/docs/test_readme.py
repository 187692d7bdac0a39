"""README: short, with the essentials first, and the way to every page."""

import re
import tomllib

from bot import __version__
from tests.support.pages import PAGES, ROOT, links, tables

README = PAGES["README.md"]


def test_the_first_screen_has_the_essentials() -> None:
    """Before the second heading: one picture, `make demo`, five example commands and what is promised.

    All in all it has 120 lines at most.
    """
    assert len(README.splitlines()) <= 120
    first = README.split("\n## ")[0]
    assert len(first.splitlines()) <= 50
    assert len(re.findall(r"!\[", first)) == 1
    assert "```sh\nmake demo\n```" in first
    (examples,) = tables(first)
    assert len(examples) == 5
    assert all(typed.startswith("`/addgroup") for typed, _ in examples)
    assert "What is promised" in first


def test_it_leads_to_every_page() -> None:
    """The table of who reads what has each page once."""
    shown = links(README.split("## Who reads what")[1].split("\n## ")[0])
    assert sorted(shown) == sorted(PAGES.keys() - {"README.md"})


def test_the_version_is_one() -> None:
    """The package, pyproject.toml and the newest entry of CHANGELOG that has a date agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.findall(r"^## \[([\d.]+)\] - 2", PAGES["CHANGELOG.md"], re.MULTILINE)[0]
    assert __version__ == project["version"] == newest
