"""README against the code: what it tells people to set, type, run and open is there and does what it says."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from bot import __version__, serve
from bot.__main__ import _parser
from bot.front import socket_mode as socketmode
from bot.iletimerkezi.client import Credentials
from bot.journal import duplicates as guard
from bot.journal import journal
from bot.model.command import MAX_GROUPS, Create, Help, History, NewGroup, OpenForm, parse
from bot.model.names import MAX_NAME, ParentId, ParentName, UsageError
from bot.settings import read
from bot.slack import users as people
from bot.slack.wording import mistake
from bot.worker import create_groups as steps
from bot.worker import pool as worker
from tests.sandbox.test_console import console

ROOT = Path(__file__).parents[2]
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
    shown = "\n".join([block for _, block in BLOCK.findall(text)] + spans(text))
    return re.findall(rf"(?:^|(?<=[ /])){program} (.+)", shown, re.MULTILINE)


def transcripts() -> list[tuple[str, str]]:
    """Return what README shows of the console: what was typed, and everything from there on."""
    shown = [block[block.index("> /addgroup ") :] for _, block in BLOCK.findall(README) if "> /addgroup " in block]
    return [(block.partition("\n\n")[0].removeprefix("> /addgroup "), block.strip()) for block in shown]


def masked(text: str) -> str:
    """Return console output without what differs from run to run: references, and the ids of siblings."""
    return re.sub(r"\b971\d\d\b", "971xx", re.sub(r"(Reference: )[0-9a-f]{16}", r"\1…", text))


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


def test_the_table_of_scopes_is_what_the_manifest_asks_for() -> None:
    """Each scope has its reason, and no other."""
    asked = re.findall(r"^      - (.*)$", (ROOT / "manifest.yml").read_text(), re.MULTILINE)
    table = section("Install in Slack").split("### Why each scope")[1]
    assert re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE) == asked


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


def test_each_command_and_option_is_shown() -> None:
    """README has an example of every command, and names every option that is for people."""
    shown = {example.split()[0] for example in commands(README, "python -m bot")}
    subparsers = next(action for action in _parser()._actions if isinstance(action.choices, dict))
    parsers: dict[str, ArgumentParser] = dict(subparsers.choices or {})
    assert shown == set(parsers)
    options = {option for parser in parsers.values() for option in re.findall(r"--[a-z-]+", parser.format_help())}
    assert options - {"--help", "--stay"} <= set(re.findall(r"--[a-z-]+", README))  # make demo alone uses --stay


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_each_file_that_is_named_exists(text: str) -> None:
    """Nothing points to a file or heading that is not there."""
    links = re.findall(r"\]\((?!https://)([^)]+)\)", text)
    files = [span for span in spans(text) if re.fullmatch(r"(?!/)[\w./-]+", span)]
    named = links + [file for file in files if "/" in file or Path(file).suffix in SUFFIXES]
    titles = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    headings = {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert [name for name in named if name not in headings and not (ROOT / name).exists()] == []


def test_the_structure_names_each_module() -> None:
    """The list has every module of the bot, and no other."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "bot").rglob("*.py") if path.name != "__init__.py"}
    listed = [span for span in spans(section("Structure")) if span.endswith(".py")]
    assert sorted(listed) == sorted(modules)


def test_imports_run_down_the_structure() -> None:
    """The list is in the order of the house: what stands above uses what stands below, never the other way round."""
    listed = [span.removesuffix("/") for span in spans(section("Structure"))]
    places = {name.removesuffix(".py").replace("/", "."): place for place, name in enumerate(listed)}
    upward = []
    for module, place in places.items():
        file = ROOT / (module.replace(".", "/") + ".py")
        for node in ast.walk(ast.parse(file.read_text() if file.is_file() else "")):
            if isinstance(node, ast.ImportFrom) and node.module:
                used = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                upward += [f"{module} imports {name}" for name in used & places.keys() if places[name] <= place]
    assert not upward


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_each_event_of_the_log_that_is_named_exists(text: str) -> None:
    """Whoever looks for an event in the log finds it under the name that the documents give it."""
    source = "\n".join(path.read_text() for path in (ROOT / "bot").rglob("*.py"))
    assert set(re.findall(r"event=(\w+)", text)) <= set(re.findall(r'(?:event|_at_best)\((?:job, )?\s*"(\w+)"', source))


@pytest.mark.parametrize(("typed", "promised"), rows("The command"))
def test_each_example_does_what_it_says(typed: str, promised: str) -> None:
    """The grammar makes of each example what stands beside it, refusals in the bot's own words."""
    try:
        match parse(typed.strip("`").removeprefix("/addgroup")):
            case Create((NewGroup(name, None),)):
                meant = f"the main group `{name}`"
            case Create((NewGroup(name, ParentId(parent)),)):
                meant = f"the group `{name}` under the ID `{parent}`"
            case Create((NewGroup(name, ParentName(parent)),)):
                meant = f"the group `{name}` under the group called `{parent}`"
            case OpenForm():
                meant = "the form"
            case History():
                meant = "the last ten commands, for you alone"
            case Help():
                meant = "how it is used, for you alone; also `yardım`, `yardim` and `?`"
                assert {parse(word) for word in spans(meant)} == {Help()}
            case other:
                meant = repr(other)
    except UsageError as error:
        meant = f"refused: {mistake('en', error)}"
    assert promised == meant


@pytest.mark.parametrize(("typed", "shown"), transcripts(), ids=[typed.split()[0] for typed, _ in transcripts()])
def test_each_transcript_is_what_the_console_prints(typed: str, shown: str) -> None:
    """A group, a tree and a refusal, run anew."""
    assert masked(shown) in masked(console(typed).stdout)


def test_the_numbers_are_those_of_the_code() -> None:
    """README and CONTRIBUTING name these: whoever changes one changes it there."""
    seconds = (journal.LEASE, guard.RECENT, journal.RESPONSE_URL_LIVES, people.KEPT, people.MEMBERS_KEPT)
    assert seconds == (30.0, 600.0, 1800.0, 3600.0, 300.0)
    assert (steps.LOOK_UP_AFTER, worker.LONGEST_WAIT, socketmode.LOST_AFTER, serve.STOP) == (3.0, 30.0, 60.0, 22)
    assert (journal.MOST_OPEN, MAX_GROUPS, MAX_NAME) == (1000, 50, 255)


def test_the_version_is_one() -> None:
    """The package, pyproject.toml and the newest entry of CHANGELOG agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.findall(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    assert __version__ == project["version"] == newest
