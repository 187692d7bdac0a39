"""The pages' pictures: what a real bot sends to Slack's stand-in, drawn by `make pictures`."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.api import Api
from tests.docs.drawing import Picture
from tests.support.served import Served
from tests.support.workspace import Workspace

FOLDER = Path(__file__).parents[2] / "pictures"

NAMES = {"U1": "Deniz", "U2": "Ayşe"}

REFERENCE = "5f6de3dcc22102e5"
"""Stands for every job's id, which differs from run to run."""


@dataclass(frozen=True)
class Scene:
    """A picture: its title, what somebody types after `/addgroup` for it, and Slack's words for the one reply."""

    title: str
    typed: str
    user: str = "U1"


SCENES = {
    "created": Scene("A group was created", "VIP Customers parent=Customers"),
    "created-tr": Scene("A group was created, in Turkish", "VIP parent=Müşteriler", "U2"),
    "mistake": Scene("The parent's name was mistyped", "Gold parent=Custmers"),
    "mistake-tr": Scene("Two groups have the parent's name, in Turkish", "Altın parent=Bölge", "U2"),
    "form": Scene("The form", ""),
    "form-tr": Scene("The form, in Turkish", "", "U2"),
    "tree": Scene("One group of a tree was refused", "Acme parent=Customers\n  VIP 1\n    İstanbul\n  Regular"),
    "tree-tr": Scene("A tree was created, in Turkish", "Bayiler parent=Müşteriler\n  Ankara\n    Çankaya", "U2"),
}
"""By the name of the file, which is the scene's channel too."""


FORMS = [name for name, scene in SCENES.items() if not scene.typed]


def drawn() -> dict[str, str]:
    """Draw each picture and return them by the names of their files. Takes some seconds."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Api("key-of-pictures", "hash-of-pictures") as api,
        Workspace("0123456789abcdef" * 2) as workspace,
    ):
        api.add("Customers", identifier="5")
        api.add("Müşteriler", identifier="7")
        api.add("Bölge", "7", "40")
        api.add("Bölge", "5", "41")
        api.mood = lambda: 503 if '"name": "VIP 1"' in json.dumps(api.calls[-1]) else None
        workspace.locales["U2"] = "tr-TR"
        served = Served(workspace, api, Path(directory))
        try:
            for channel, scene in SCENES.items():
                workspace.command(served.url, scene.typed, scene.user, channel)
                _wait(workspace, channel)
        finally:
            served.stop()  # it ends when the work under way is done: the edits of the roots
        return {f"{channel}.svg": _draw(workspace, channel, scene) for channel, scene in SCENES.items()}


def _wait(workspace: Workspace, channel: str) -> None:
    """Wait until the scene's thread has its answer, or the form is open."""

    def there() -> bool:
        if SCENES[channel].typed:
            return any(workspace.thread(root) for root in workspace.roots(channel))
        return len(workspace.forms) > FORMS.index(channel)

    if not workspace.wait_for(there, 60):
        raise RuntimeError(f"{channel}: no answer came, only {workspace.messages}")


def _draw(workspace: Workspace, channel: str, scene: Scene) -> str:
    if not scene.typed:
        picture = Picture(520, NAMES)
        picture.form(24, workspace.forms[FORMS.index(channel)].view)
        return picture.svg(scene.title)
    picture = Picture(720, NAMES)
    (root,) = workspace.roots(channel)
    (answer,) = workspace.thread(root)
    picture.message(20, root.text, root.blocks)
    picture.replies(66, "1 reply")
    picture.message(66, *json.loads(json.dumps([answer.text, answer.blocks]).replace(answer.job, REFERENCE)))
    return picture.svg(scene.title)


if __name__ == "__main__":
    pictures = drawn()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    for name, content in pictures.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
