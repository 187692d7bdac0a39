"""Where the variables come from: the environment and `.env`, and what is wrong with a `.env`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import SettingsError, environment
from tests.support.served import inherited

ROOT = Path(__file__).parents[2]


def test_dotenv_stands_behind_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable comes from `.env` in the working directory unless the environment has it, empty or not."""
    (tmp_path / ".env").write_text(
        "# a comment\nILETIMERKEZI_API_KEY='from file'\nexport ADDGROUP_LANGUAGE=tr\nSLACK_BOT_TOKEN=file\nNO_VALUE\n"
        'SLACK_APP_TOKEN=file\n\nADDGROUP_NAME="Müşteri"\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "environment")
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    assert environment() == {
        **os.environ,
        "ILETIMERKEZI_API_KEY": "from file",
        "ADDGROUP_LANGUAGE": "tr",
        "SLACK_BOT_TOKEN": "environment",
        "SLACK_APP_TOKEN": "",
        "ADDGROUP_NAME": "Müşteri",
    }
    assert "ADDGROUP_NAME" not in os.environ


def test_without_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a `.env` here, the environment is all; one in a directory above is not looked for."""
    (tmp_path / ".env").write_text("ADDGROUP_LANGUAGE=tr\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert environment() == dict(os.environ)


def test_dotenv_in_another_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` that is not UTF-8 is a problem of the settings, told as such."""
    (tmp_path / ".env").write_text("ADDGROUP_LANGUAGE=tr\n", encoding="utf-16")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="UTF-8"):
        environment()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("ADDGROUP_LANGUAGE=tr\n".encode("utf-16-le"), "UTF-8"),
        ("ADDGROUP_NAME=Müşteri\n".encode("iso8859-9"), "UTF-8"),
        (b"PORT=1\nADDGROUP_MEMBERS: U1\n", "not NAME=value: 2"),
        (b"ADDGROUP_MEMBERS\n", "not NAME=value: 1"),
        (b"set ADDGROUP_MEMBERS=U1\n", "not NAME=value: 1"),
        (b'SLACK_BOT_TOKEN="xoxb-hidden\nPORT=1\n', "not NAME=value: 1"),
    ],
)
def test_a_dotenv_that_cannot_be_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, told: str
) -> None:
    """What cannot be read is a problem, with its line and without its content; nothing of it is silently left out."""
    (tmp_path / ".env").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=told) as raised:
        environment()
    assert "hidden" not in str(raised.value)


def test_a_dotenv_from_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte order mark and line ends of Windows are not part of names and values."""
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfADDGROUP_LANGUAGE=tr\r\nADDGROUP_MEMBERS='U1'\r\n")
    monkeypatch.chdir(tmp_path)
    found = environment()
    assert (found["ADDGROUP_LANGUAGE"], found["ADDGROUP_MEMBERS"]) == ("tr", "U1")


@pytest.mark.parametrize("kind", ["folder", "forbidden"])
def test_a_dotenv_that_may_not_be_read(tmp_path: Path, kind: str) -> None:
    """Each command ends with status 2, the reason and no traceback, so that no supervisor starts it again and again."""
    as_user = []
    if kind == "folder":
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").write_text("PORT=1\n")
        (tmp_path / ".env").chmod(0)
        if os.geteuid() == 0:  # root may read everything
            as_user = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    for command in ("serve", "check", "history"):
        ended = subprocess.run(  # noqa: S603  # our own words
            [*as_user, sys.executable, "-m", "bot", command],
            cwd=tmp_path,
            env={**inherited(), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ".env cannot be read: " in ended.stderr
        assert "Traceback" not in ended.stderr
