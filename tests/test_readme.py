"""README against the code: what it tells people to set, type, run and open is there and does what it says."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from unittest.mock import MagicMock

import jsonschema
import pytest
import yaml

from bot import __version__
from bot.__main__ import _parser
from bot.command import Create, Help, NewGroup, ParentId, UsageError, parse
from bot.iletimerkezi import Credentials
from bot.settings import read
from bot.slack.wording import mistake
from bot.web import EVENTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
SUFFIXES = {".example", ".md", ".py", ".toml", ".txt", ".yml"}


def section(heading: str) -> str:
    """Return what stands under a heading of README."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the one table under a heading, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def spans(text: str) -> list[str]:
    """Return what stands in backticks within sentences."""
    return re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))


def commands(text: str, program: str) -> list[str]:
    """Return what follows `program` wherever a document shows it as code."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()] + spans(text)
    return [found[1] for line in lines if (found := re.match(rf"(?:\$ |\S*/)?{program} (.*)", line.strip()))]


def test_the_table_of_variables_is_what_the_settings_read() -> None:
    """README, .env.example and the settings name the same variables and the same defaults."""
    environ = MagicMock(spec=dict)
    environ.get.return_value = ""
    environ.__contains__.return_value = False
    bare = read(environ, slack=False, api=False)
    asked = {call.args[0] for call in environ.get.call_args_list}

    table = {name.strip("`"): default for name, _, default in rows("Configure")}
    defaults = {name: default.strip("`") for name, default in table.items() if default.startswith("`")}
    example = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert set(table) == set(example) == asked
    assert {name: value for name, value in example.items() if value} == defaults
    assert read(defaults, slack=False, api=False) == bare
    assert len([v for v in vars(bare).values() if v and not isinstance(v, Credentials)]) == len(defaults)


def test_each_target_that_is_named_exists_and_each_that_exists_is_named() -> None:
    """Every `make …` is in the Makefile, and every target that explains itself there is in README or CONTRIBUTING."""
    targets = set(re.findall(r"^(\w+):.*  ## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {found.split()[0] for found in commands(README, "make") + commands(CONTRIBUTING, "make")}
    assert named == targets


@pytest.mark.parametrize(
    "found",
    [
        commands(README, "python -m bot"),
        commands(CONTRIBUTING, "python -m bot"),
        re.findall(r"^\w+: python -m bot (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE),
    ],
    ids=["README", "CONTRIBUTING", "Procfile"],
)
def test_each_command_is_understood(found: list[str]) -> None:
    """The command line takes every `python -m bot …` as it is written."""
    assert found
    for arguments in found:
        assert _parser().parse_args(shlex.split(arguments, comments=True)).run


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_each_file_that_is_named_exists(text: str) -> None:
    """Nothing points to a file or heading that is not there."""
    links = re.findall(r"\]\((?!https://)([^)]+)\)", text)
    files = [span for span in spans(text) if re.fullmatch(r"(?!/)[\w./-]+", span)]
    named = links + [file for file in files if "/" in file or Path(file).suffix in SUFFIXES]
    headings = {"#" + title.lower().replace(" ", "-") for title in re.findall(r"^##+ (.*)$", text, re.MULTILINE)}
    assert [name for name in named if name not in headings and not (ROOT / name).exists()] == []


def test_the_structure_names_each_module() -> None:
    """The list has every module of the bot, and no other."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "bot").rglob("*.py") if path.name != "__init__.py"}
    assert {span for span in spans(section("Structure")) if span.endswith(".py")} == modules


@pytest.mark.parametrize(("typed", "promised"), rows("The command"))
def test_each_example_does_what_it_says(typed: str, promised: str) -> None:
    """The grammar makes of each example what stands beside it, refusals in the bot's own words."""
    try:
        match parse(typed.strip("`").removeprefix("/addgroup")):
            case Create((NewGroup(name, None),)):
                meant = f"the main group `{name}`"
            case Create((NewGroup(name, ParentId(parent)),)):
                meant = f"the group `{name}` under the ID `{parent}`"
            case Help():
                meant = "how it is used, for you alone; also `yardım`, `yardim` and `?`"
                assert {parse(word) for word in spans(meant)} == {Help()}
            case other:
                meant = repr(other)
    except UsageError as error:
        meant = f"refused: {mistake('en', error)}"
    assert promised == meant


def test_the_lines_for_http_make_a_manifest_that_slack_accepts() -> None:
    """With README's lines in its place the manifest is valid, and names the address that the bot serves."""
    (lines,) = [yaml.safe_load(block) for language, block in BLOCK.findall(README) if language == "yaml"]
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    manifest["features"]["slash_commands"][0] |= lines["features"]["slash_commands"][0]
    manifest["settings"] |= lines["settings"]
    schema = json.loads((ROOT / "tests/slack-manifest/manifest.schema.1.0.0.json").read_text())
    jsonschema.Draft7Validator(schema).validate(manifest)
    assert manifest["features"]["slash_commands"][0]["url"].endswith(EVENTS)
    assert manifest["settings"]["socket_mode_enabled"] is False


def test_the_version_is_one() -> None:
    """The package, pyproject.toml and the newest entry of CHANGELOG agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.findall(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    assert __version__ == project["version"] == newest
