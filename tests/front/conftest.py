"""A front that is not in a hurry: on a busy machine too, what Slack or the API answers comes in time."""

import pytest

from bot.front import form


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, bound in ((form, "SOON"), (form, "LOOKED_UP"), (form, "OPENED")):
        monkeypatch.setattr(module, bound, 30.0)
