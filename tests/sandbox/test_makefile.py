"""The Makefile: a set-up that recovers, and the demo as a person starts and leaves it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import ROOT
from tests.support.served import inherited
from tests.support.terminal import terminal

MAKE = shutil.which("make") or ""

# A python3 whose venv makes a copy of it, and whose pip fails while a file says so.
PYTHON = """\
#!/bin/sh
echo "$*" >>"{log}"
case "$1 $2" in
"-m venv")
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && ! test -e "{folder}/no-ensurepip" && touch "$3/pip" ;;
"-m pip")
    test -e .venv/pip && ! test -e "{folder}/no-network" || test "$3" = --version ;;
"-m bot")
    exit 0 ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, the locks, and `python3` in `bin`."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python3"
    python.write_text(PYTHON.format(log=tmp_path / "log", folder=tmp_path))
    python.chmod(0o755)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder whose `bin` comes first in the path."""
    return subprocess.run(  # noqa: S603  # make, and our own words
        [MAKE, *arguments],
        cwd=folder,
        env={**inherited(), "PATH": f"{folder}/bin:{os.environ['PATH']}"},
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(folder: Path, begin: str) -> int:
    return sum(line.startswith(begin) for line in (folder / "log").read_text().splitlines())


@pytest.mark.parametrize("fault", ["no-ensurepip", "no-network"])
def test_a_set_up_that_failed_half_way_recovers(folder: Path, fault: str) -> None:
    """Without python3-venv, or interrupted while packages are installed: the next make begins again and is done."""
    (folder / fault).touch()
    assert make(folder, "demo").returncode == 2
    assert make(folder, "demo").returncode == 2
    (folder / fault).unlink()
    assert make(folder, "demo").returncode == 0
    assert calls(folder, "-m venv") == 3
    assert make(folder, "demo").returncode == 0
    assert calls(folder, "-m venv") == 3, "it is set up once"


@pytest.mark.parametrize("left", ["nothing", "no pip", "no python"])
def test_a_virtual_environment_that_is_broken_is_made_again(folder: Path, left: str) -> None:
    """An empty folder, one without pip, one whose Python was removed from the machine."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    if left == "no pip":
        (folder / ".venv" / "bin" / "python").symlink_to("/bin/false")
    if left == "no python":
        (folder / ".venv" / "run").touch()
        (folder / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3")
    assert make(folder, "demo").returncode == 0
    assert calls(folder, "-m venv") == 1


def test_a_virtual_environment_that_works_is_kept(folder: Path) -> None:
    """One that a person made by hand is only given the packages."""
    assert make(folder, "demo").returncode == 0
    (folder / ".venv" / "run").unlink()
    (folder / ".venv" / "own").touch()
    assert make(folder, "demo").returncode == 0
    assert (folder / ".venv" / "own").exists()


@pytest.fixture
def ready(folder: Path) -> Path:
    """Return the folder with a virtual environment that runs this project in the present Python."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (folder / ".venv" / "run").touch()
    return folder


@pytest.mark.parametrize("text", ["Bob's friends", 'Say "A" parent=5', "$HOME $(x) a;b #c", "--help", "Top\n  Below"])
def test_the_text_arrives_as_it_is(folder: Path, text: str) -> None:
    """Quotes, dollars and lines of TEXT are neither the shell's nor make's."""
    assert make(folder, "demo", f"TEXT={text}").returncode == 0
    assert (folder / "log").read_text().endswith(f"-m bot console --stay -- {text}\n")


def test_make_demo_is_left_without_an_error_of_make(ready: Path) -> None:
    """After a command that failed, and one not awaited: Ctrl-C reaches make too, which waits for the console."""
    with terminal("demo", program=[MAKE], folder=ready) as person:
        person.wait("97101")
        person.wait()
        person.type(":api silence\r")
        person.wait()
        person.type("A\r")
        person.wait("Waiting for the answer")
        person.interrupt()
        person.wait("Stopped.")
        person.wait()
        person.type("VIP parent=404\r")
        person.wait("[1]")
        person.wait()
        person.type("\x04")
        person.ended()
    assert "***" not in person.shown
