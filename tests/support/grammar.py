"""What the tests of the grammar share: how a text is refused, or the groups it makes."""

from __future__ import annotations

import pytest

from bot.model.command import Command, Create, NewGroup, parse
from bot.model.names import UsageError


def refused(text: str) -> UsageError:
    """Return the error with which a text is refused."""
    with pytest.raises(UsageError) as caught:
        parse(text)
    return caught.value


def refusal(text: str) -> tuple[str, dict[str, str]]:
    """Return the key and the values with which a text is refused."""
    error = refused(text)
    return error.key, error.values


def read(text: str) -> Command | UsageError:
    """Return what a text is understood as, or how it is refused."""
    try:
        return parse(text)
    except UsageError as error:
        return error


def groups(text: str) -> tuple[NewGroup, ...]:
    """Return the groups of a text that must be a command to create."""
    command = parse(text)
    assert isinstance(command, Create)
    return command.groups
