"""The account's groups: looking a lost answer up."""

from __future__ import annotations

import logging

from bot.command import fold
from bot.iletimerkezi import ApiError, Client
from bot.logs import event


class Groups:
    """Asks get-groups, on which nothing else depends: an account may have add-group without it."""

    def __init__(self, api: Client) -> None:
        self._api = api

    def find(self, name: str, parent: str) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent's id, asked now; None when it cannot be."""
        try:
            groups = self._api.get_groups()
        except ApiError as error:
            event("groups_not_read", level=logging.WARNING, reason=repr(error))
            return None
        return tuple(group.id for group in groups if group.parent == parent and fold(group.name) == fold(name))
