"""The console where the terminal or the pipe is not in UTF-8."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.console import ROOT
from tests.support.served import inherited

C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def piped(typed: bytes, *arguments: bytes, **environ: str) -> tuple[int, bytes, bytes]:
    """Run the console with bytes; return its exit status, its output and its errors."""
    ended = subprocess.run(  # noqa: S603  # our own interpreter and module
        [sys.executable.encode(), b"-m", b"bot", b"console", *arguments],
        cwd=ROOT,
        env={**inherited(), **environ},
        input=typed,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("environ", "typed", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "Gül – x".encode(), rb"a new group: G\xfcl - x"),
        (C, "Gül".encode(), rb"a new group: G\xfcl"),
        ({"PYTHONIOENCODING": "iso-8859-9"}, "Güneş".encode("iso-8859-9"), "a new group: Güneş".encode("iso-8859-9")),
    ],
    ids=["ascii", "C", "latin-5"],
)
def test_any_encoding_is_read_and_written(environ: dict[str, str], typed: bytes, shown: bytes) -> None:
    """What the encoding has not is written as ASCII or escaped; Turkish answers and trees come through too."""
    status, output, errors = piped(typed + b"\n:tr\nhelp\nTop\n  Below\nquit\n", **environ)
    assert (status, errors) == (0, b"")
    assert shown in output
    assert b"97103" in output


def test_bytes_that_are_no_text_make_nothing() -> None:
    """They are refused with what to set, typed or as TEXT, and the lines below them too."""
    environ = {"PYTHONIOENCODING": "utf-8"}
    status, output, errors = piped(b"G\xfcl\n  Below\n", **environ)
    assert (status, errors) == (2, b"")
    assert b"PYTHONIOENCODING" in output
    assert b"#ops\nAddgroup" not in output
    status, output, errors = piped(b"", b"G\xfcl", **environ)
    assert (status, errors) == (2, b"")
    assert b"PYTHONIOENCODING" in output


def test_an_argument_is_read_in_the_terminals_encoding() -> None:
    """TEXT in latin-5 on a terminal of that encoding."""
    status, output, _ = piped(b"", "Güneş".encode("iso-8859-9"), PYTHONIOENCODING="iso-8859-9")
    assert status == 0
    assert "a new group: Güneş".encode("iso-8859-9") in output
