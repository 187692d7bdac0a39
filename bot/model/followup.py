"""What people can do about an answered job: each button under an answer is one FollowUp."""

from __future__ import annotations

from enum import StrEnum


class FollowUp(StrEnum):
    """A way to go on from an answer. The value is the button's action_id in Slack."""

    AGAIN = "again"
    """Send what was refused or never sent; of a tree, all that is missing."""
    CONFIRM = "confirm"
    """Settle steps with an unknown outcome as created: the group that was found is the one."""
    LOOK = "look"
    """Look up once more what became of a lost answer."""
    ANYWAY = "anyway"
    """Send a step whose outcome is unknown."""
    ANOTHER = "another"
    """Create a second group of the same name in the same place."""
    UNDER = "under"
    """Send what has no parent so far under the group that was chosen; the action_id ends in the choice's number."""
    EDIT = "edit"
    """Open the form with what was asked for."""
    SUBGROUP = "subgroup"
    """Open the form with the new group as the parent."""

    @property
    def opens_form(self) -> bool:
        """Whether it opens the form, whose submission is the next job."""
        return self in (FollowUp.EDIT, FollowUp.SUBGROUP)

    @property
    def starts_sent(self) -> bool:
        """Whether its job starts with steps that an earlier job sent."""
        return self in (FollowUp.LOOK, FollowUp.CONFIRM)

    @property
    def forced(self) -> bool:
        """Whether it creates a group although there is, or may be, such a group."""
        return self in (FollowUp.ANYWAY, FollowUp.ANOTHER)
