"""docs/settings.md and .env.example against the settings."""

import re

from bot.settings import SECRETS, VARIABLES, read
from tests.support.pages import PAGES, ROOT, tables

TABLE = {name.strip("`"): default for name, _, default in tables(PAGES["docs/settings.md"])[0]}
DEFAULTS = {name: default.strip("`") for name, default in TABLE.items() if default.startswith("`")}
EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_page_and_the_example_name_what_the_settings_read() -> None:
    """The three name the same variables; files with secrets are named after theirs."""
    assert set(TABLE) == set(EXAMPLE) == set(VARIABLES)
    files = PAGES["docs/settings.md"].split("## Secrets from files")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)_FILE`", files)) == set(SECRETS)


def test_the_defaults_are_those_of_the_code() -> None:
    """To set every default that the page names is to set nothing, and .env.example has the same."""
    assert read(DEFAULTS, slack=False, api=False) == read({}, slack=False, api=False)
    assert {name: value for name, value in EXAMPLE.items() if value} == DEFAULTS
