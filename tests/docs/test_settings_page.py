"""docs/settings.md and .env.example against the settings."""

import re
from collections.abc import Iterator, Mapping

from bot.settings import PROXIES, read
from tests.support.pages import PAGES, ROOT, tables

TABLE = {name.strip("`"): default for name, _, default in tables(PAGES["docs/settings.md"])[0]}
DEFAULTS = {name: default.strip("`") for name, default in TABLE.items() if default.startswith("`")}
EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


class Asked(Mapping[str, str]):
    """An empty environment that remembers which variables were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_page_and_the_example_name_what_the_settings_read() -> None:
    """The three name the same variables; files with secrets are named after theirs."""
    environ = Asked()
    read(environ, slack=False, api=False)
    asked = environ.names - set(PROXIES)
    plain = {name for name in asked if name.removesuffix("_FILE") == name or name.removesuffix("_FILE") not in asked}
    assert set(TABLE) == plain
    assert set(EXAMPLE) == plain
    files = set(
        re.findall(r"`([A-Z_]+_FILE)`", PAGES["docs/settings.md"].split("## Secrets from files")[1].split("\n## ")[0])
    )
    assert files == asked - plain


def test_the_defaults_are_those_of_the_code() -> None:
    """To set every default that the page names is to set nothing, and .env.example has the same."""
    assert read(DEFAULTS, slack=False, api=False) == read({}, slack=False, api=False)
    assert {name: value for name, value in EXAMPLE.items() if value} == DEFAULTS
