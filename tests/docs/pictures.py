"""The pages' pictures: what a real bot sends to Slack's stand-in, drawn by `make pictures`."""

import json
import tempfile
from pathlib import Path

from bot.sandbox.bot import Bot, variables
from tests.docs.drawing import Picture
from tests.support.provider import Api
from tests.support.workspace import Workspace

FOLDER = Path(__file__).parents[2] / "pictures"

NAMES = {"U1": "Deniz", "U2": "Ayşe"}

REFERENCE = "5f6de3dcc22102e5"
"""Stands for every job's id, which differs from run to run."""

SCENES = {
    "created": ("A group was created", "VIP Customers parent=Customers"),
    "created-tr": ("A group was created, in Turkish", "VIP parent=Müşteriler"),
    "mistake": ("The parent's name was mistyped", "Gold parent=Custmers"),
    "mistake-tr": ("Two groups have the parent's name, in Turkish", "Altın parent=Bölge"),
    "form": ("The form", ""),
    "form-tr": ("The form, in Turkish", ""),
    "tree": ("One group of a tree was refused", "Acme parent=Customers\n  VIP 1\n    İstanbul\n  Regular"),
    "tree-tr": ("A tree was created, in Turkish", "Bayiler parent=Müşteriler\n  Ankara\n    Çankaya"),
}
"""By the name of the file, which is the scene's channel too: a title, and what somebody types after `/addgroup`."""


def drawn() -> dict[str, str]:
    """Draw each picture and return them by the names of their files. Takes some seconds."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Api() as api,
        Workspace("0123456789abcdef" * 2) as workspace,
    ):
        for group in (("Customers", "", "5"), ("Müşteriler", "", "7"), ("Bölge", "7", "40"), ("Bölge", "5", "41")):
            api.add(*group)
        api.mood = lambda: 503 if '"name": "VIP 1"' in json.dumps(api.calls[-1]) else None
        workspace.locales["U2"] = "tr-TR"
        bot = Bot({**variables(workspace, api), "DATABASE_URL": f"sqlite:///{directory}/journal.db"})
        bot.start()
        try:
            return {f"{channel}.svg": _draw(bot.url, workspace, channel, *scene) for channel, scene in SCENES.items()}
        finally:
            bot.stop(30)


def _draw(url: str, workspace: Workspace, channel: str, title: str, typed: str) -> str:
    """Type a scene's command, and draw the form that opens, or the root and its one answer when both are there."""
    forms = len(workspace.forms)
    workspace.command(url, typed, "U2" if channel.endswith("-tr") else "U1", channel)

    def there() -> bool:
        roots = [root for root in workspace.roots(channel) if not root.text.startswith("…")]
        return any(map(workspace.thread, roots)) if typed else len(workspace.forms) > forms

    if not workspace.wait_for(there, 60):
        raise RuntimeError(f"{channel}: no answer came, only {workspace.messages}")
    if not typed:
        picture = Picture(520, NAMES)
        picture.form(24, workspace.forms[-1].view)
        return picture.svg(title)
    picture = Picture(720, NAMES)
    (root,) = workspace.roots(channel)
    (answer,) = workspace.thread(root)
    picture.message(20, root.text, root.blocks)
    picture.replies(66, "1 reply")
    picture.message(66, *json.loads(json.dumps([answer.text, answer.blocks]).replace(answer.job, REFERENCE)))
    return picture.svg(title)


if __name__ == "__main__":
    pictures = drawn()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    for name, content in pictures.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
