"""Every page against the code: what it tells people to open, type, set and look for is there."""

import re
from argparse import ArgumentParser
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from bot.__main__ import _parser
from tests.support.pages import PAGES, ROOT, anchors, commands, headings, links, prose, spans, tables

EVERYTHING = "\n\n".join(PAGES.values())
CURRENT = sorted(PAGES.keys() - {"CHANGELOG.md"})
SUFFIXES = {".example", ".md", ".py", ".toml", ".txt", ".yml", ".yaml"}

OF_OTHERS = {"ADDGROUP_MEMBER", "HTTPS_PROXY", "SSL_CERT_FILE"}
"""Variables that pages name and that are no settings: the libraries', and a misspelt example."""

OF_MAKE = {"CHAOS_SECONDS", "CHAOS_SEED", "FUZZ_SEED", "FUZZ_SECONDS"}

OLD_WORDS = ("anew", "mend", "mends", "whom", "whoever", "all the same", "rid of", "dear to", "amongst", "thereof")

each_page = pytest.mark.parametrize("page", sorted(PAGES))
each_current_page = pytest.mark.parametrize("page", CURRENT)


@each_page
def test_each_link_resolves(page: str) -> None:
    """Files that are linked exist, and so do the headings within them."""
    broken = [link for link in links(PAGES[page]) if not _resolves(page, *link.partition("#")[::2])]
    assert broken == []


def _resolves(page: str, path: str, anchor: str) -> bool:
    target = (ROOT / page).parent / path if path else ROOT / page
    return target.exists() and (not anchor or anchor in anchors(target.read_text(encoding="utf-8")))


@each_current_page
def test_each_path_that_is_named_exists(page: str) -> None:
    """A path in backticks leads somewhere, from the repository's root."""
    words = [
        span for span in spans(PAGES[page]) if re.fullmatch(r"(?![/~])[\w./-]+", span) and "addgroup.db" not in span
    ]
    paths = [word for word in words if word.endswith("/") or "/" in word.strip("/") or Path(word).suffix in SUFFIXES]
    known = [path for path in paths if "." in Path(path).name or path.endswith("/")]
    hosts = re.compile(r"[\w.-]+\.(com|test|db)")
    assert [path for path in known if not (ROOT / path).exists() and not hosts.fullmatch(path)] == []


@each_current_page
def test_each_variable_that_is_named_exists(page: str) -> None:
    """Pages name the settings that there are, plain or as a file's, and few of others."""
    (table, *_) = tables(PAGES["docs/settings.md"])
    settings = {row[0].strip("`") for row in table}
    named = re.findall(
        r"\b(?:SLACK|ILETIMERKEZI|ADDGROUP|DATABASE|METRICS|LOG|CHAOS|FUZZ|SSL|HTTPS)_[A-Z_]+\b", PAGES[page]
    )
    unknown = {name for name in named if name not in settings and name.removesuffix("_FILE") not in settings}
    assert unknown - OF_OTHERS - OF_MAKE - {"ILETIMERKEZI_"} == set()


def test_each_make_target_is_explained() -> None:
    """Every `make …` on a page is in the Makefile, and every target that explains itself there is on a page."""
    targets = set(re.findall(r"^(\w+):.*  ## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {found.split()[0].strip(",.`") for found in commands(EVERYTHING, "make")} == targets


def test_the_procfile_serves() -> None:
    """In either mode; tests/docs/test_commands.py runs the commands of the pages."""
    assert set(re.findall(r"^\w+: (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)) == {"python -m bot serve"}


def test_each_command_and_option_is_shown() -> None:
    """Pages have an example of every command and name every option that is for people."""
    subparsers = next(action for action in _parser()._actions if isinstance(action.choices, dict))
    parsers: dict[str, ArgumentParser] = dict(subparsers.choices or {})
    assert {example.split()[0] for example in commands(EVERYTHING, "python -m bot")} == set(parsers)
    options = {option for parser in parsers.values() for option in re.findall(r"--[a-z-]+", parser.format_help())}
    assert options - {"--help", "--stay"} <= set(re.findall(r"--[a-z-]+", EVERYTHING))  # only make demo uses --stay


@each_current_page
def test_each_event_that_is_named_exists(page: str) -> None:
    """An event on a page has that name in the log."""
    source = "\n".join(path.read_text() for path in (ROOT / "bot").rglob("*.py"))
    named = set(re.findall(r"event=(\w+)", PAGES[page]))
    assert {name for name in named if f'"{name}"' not in source} == set()


def test_each_scope_has_its_reason() -> None:
    """The installation explains the manifest's scopes, and no other."""
    asked = re.findall(r"^      - ([a-z:.]+)$", (ROOT / "manifest.yml").read_text(), re.MULTILINE)
    assert [row[0].strip("`") for row in tables(PAGES["docs/install.md"])[-1]] == asked


def test_nothing_is_said_twice() -> None:
    """No sentence of ten words or more stands on two pages; the promises are also the contributors'."""
    once = sorted(PAGES.keys() - {"CHANGELOG.md", "CONTRIBUTING.md", "docs/promises.md"})
    sentences = [re.split(r"(?<=[.:!?])\s+", " ".join(PAGES[page].split())) for page in once]
    pages = [{part for part in parts if len(part.split()) >= 10} for parts in sentences]
    assert [one & other for one, other in combinations(pages, 2) if one & other] == []


@each_page
def test_a_page_is_well_formed(page: str) -> None:
    """No word of old or translated English; one title, and each level only below the one above it.

    No code in a sentence runs over the end of a line, where these tests would not see it.
    """
    words = " ".join(PAGES[page].split()).lower()
    assert [word for word in OLD_WORDS if re.search(rf"\b{word}\b", words)] == []
    levels = [level for level, _ in headings(PAGES[page])]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [line for line in prose(PAGES[page]).splitlines() if line.count("`") % 2] == []
