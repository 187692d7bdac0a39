"""Somebody who types at a terminal, in the test's own process."""

import io
import sys
from collections.abc import Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput


class Tty(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[PipeInput]:
    """Return where keys are pressed: standard input is a terminal with the line editor."""
    monkeypatch.setattr(sys, "stdin", Tty(io.BytesIO(), "utf-8"))
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        yield typed
