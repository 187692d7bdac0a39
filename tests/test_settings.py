"""The settings: what each variable means, what is refused and in which words, and that nothing secret is shown."""

import os
import re
from pathlib import Path

import pytest

from bot.settings import SECRETS, VARIABLES, SettingsError, environment, passwords, read, secrets_in, unknown
from tests.support.program import run_to_end
from tests.support.served import inherited

ROOT = Path(__file__).parents[1]
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "0123456789abcdef" * 2}
API = {"ILETIMERKEZI_API_KEY": "key", "ILETIMERKEZI_API_HASH": "hash"}
HTTP = {**SLACK, **API}
HASH_OF_SECRET = "96de09a0f8699191b28587118ac57df88bbf6c2d0c131d196dcd90f7efd68c93"


def problems(**environ: str) -> list[str]:
    """Return what is wrong with the variables beside the needed ones; an empty one stands for a missing one."""
    with pytest.raises(SettingsError) as caught:
        read({**HTTP, **environ})
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert "hidden" not in str(caught.value)
    return caught.value.problems


def same(*values: str) -> dict[str, object]:
    """Return values that are understood as they are given."""
    return {value: value for value in values}


EACH: dict[str, tuple[str, dict[str, object]]] = {
    "SLACK_BOT_TOKEN": ("slack_bot_token", same("xoxb-2")),
    "SLACK_SIGNING_SECRET": ("slack_signing_secret", same("f" * 32)),
    "SLACK_APP_TOKEN": ("slack_app_token", same("xapp-1")),
    "SLACK_API_URL": ("slack_api_url", same("https://slack-gov.com/api")),
    "ILETIMERKEZI_API_KEY": ("api_key", same("other")),
    "ILETIMERKEZI_API_HASH": ("api_hash", same("other")),
    "ILETIMERKEZI_API_SECRET": ("api_hash", {"secret": HASH_OF_SECRET}),
    "ILETIMERKEZI_API_URL": (
        "api_url",
        same("https://api.example.com:8443/v2", "http://localhost:8080/v1/", "http://[::1]:80/", "HTTP://LOCALHOST/"),
    ),
    "ILETIMERKEZI_TIMEOUT": ("api_timeout", {"2.5": 2.5, "0.1": 0.1, "120": 120.0}),
    "DATABASE_URL": (
        "database_url",
        same(
            "sqlite:////var/lib/a@b@c/addgroup.db",
            "sqlite+pysqlite:///addgroup.db",
            "postgres://u:p@h:5432/d",
            "postgresql+psycopg://u:p%40ss@h/d",
            "postgresql://u:p/a?s#s:w@h/d?sslmode=require&options=-csearch_path%3Dbot",
            "postgresql:///d?host=/var/run/postgresql",
            "postgresql://u:p@/d?host=a:1&host=b:2&target_session_attrs=read-write",
            "postgres://u:p@[::1]/d?what=psycopg-judges-itself",
        ),
    ),
    "ADDGROUP_LANGUAGE": ("language", {"tr": "tr", "EN": "en", "Auto": "auto"}),
    "ADDGROUP_API_CALLS": ("api_calls", {"1": 1, "100": 100}),
    "ADDGROUP_CONTACT": ("contact", same("U0123ABCD", "S1", "C1")),
    "ADDGROUP_DOCS_URL": ("docs_url", {"https://git.example/docs/": "https://git.example/docs"}),
    "ADDGROUP_MEMBERS": ("members", {"U1, W2;S3 U4": ("U1", "W2", "S3", "U4"), "'U1',\"S3\"": ("U1", "S3")}),
    "ADDGROUP_CHANNELS": ("channels", {"C1,G2,D3,": ("C1", "G2", "D3")}),
    "ADDGROUP_AUDIT_CHANNEL": ("audit_channel", same("C1")),
    "HOST": ("host", same("127.0.0.1", "localhost", "::")),
    "PORT": ("port", {"1": 1, "65535": 65535, "tcp://10.0.0.1:80": 3000}),
    "METRICS_PORT": ("metrics_port", {"9100": 9100, "0": 0, "tcp://10.0.0.1:9090": 0}),
    "LOG_LEVEL": ("log_level", {"debug": "DEBUG", "Warning": "WARNING"}),
    "LOG_FORMAT": ("log_format", {"JSON": "json"}),
}
"""Each variable: its setting, and values as they are given and as they are understood."""


@pytest.mark.parametrize("form", ["{}", " {}\r\n", '"{}"', "'{}'", "\ufeff{}", ' " {} "\r', "“{}”"])
def test_each_variable(form: str) -> None:
    """Each variable reaches its setting, without the white space, quotes and marks that copying leaves around it.

    A blank one means its default; tests/docs holds the defaults to the page.
    """
    assert set(EACH) == set(VARIABLES)
    for name, (attribute, values) in EACH.items():
        for given, value in values.items():
            found = getattr(read({**HTTP, name: form.format(given)}), attribute)
            assert (name, found, type(found)) == (name, value, type(value))
    assert read({**dict.fromkeys(VARIABLES, form.format(" ")), **HTTP}) == read(HTTP)


ADDRESS = "must be an address that begins with https://, such as https://api.example.com/v1."
DATABASE = "must be an address such as sqlite:///addgroup.db or postgres://"
EXAMPLE = "such as U0123ABCD, which Slack shows under the details of each"
SPACE = "contains a space or another character that no such value has."

REFUSED: dict[str, dict[str, list[str]]] = {
    "SLACK_BOT_TOKEN": {
        "is missing. You find it in your Slack app's settings: OAuth": [""],
        "must begin with xoxb-, without a space. One that begins with xoxe ends after hours: token rotation": [
            *["xoxp-1", "xoxb-", "xoxe.xoxb-1-hidden", "xoxe-1-hidden", "xoxb-1 xoxb-2", "xoxb-ş"]
        ],
    },
    "SLACK_SIGNING_SECRET": {
        "is missing. For Socket Mode, set SLACK_APP_TOKEN instead. You find it": ["", " "],
        "must be the 32 hexadecimal digits that Slack shows.": ["abc", "hidden\nhidden"],
    },
    "SLACK_APP_TOKEN": {"must begin with xapp-, without a space.": ["xoxb-1"]},
    "ILETIMERKEZI_API_KEY": {"is missing. The panel": [""], SPACE: ["a b", "a\nb", "ş", "\udcff"]},
    "ILETIMERKEZI_API_HASH": {"is missing. The panel": [""], SPACE: ["a b", "ş"]},
    "ILETIMERKEZI_API_SECRET": {SPACE: ["a b"]},
    **{
        name: {
            ADDRESS: [
                *["http://hidden.example.com/", "http://localhost.example.com/", "http://127.0.0.1.example.com"],
                *["example.com", "ftp://example.com", "https:///v1", "https://h:port", "https://[", "https://h/?key=1"],
                *["https://u:hidden@h", "http://u@localhost", "https://:hidden@h", "https://h/#part", "https://h/ a"],
            ]
        }
        for name in ("SLACK_API_URL", "ILETIMERKEZI_API_URL")
    },
    "ILETIMERKEZI_TIMEOUT": {"must be a number from 0.1 to 120.": ["0.09", "-1", "120.1", "nan", "inf", "ten", "1,5"]},
    "DATABASE_URL": {
        DATABASE: [
            *["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "addgroup.db"],
            *["mysql://u:hidden@h/d", "http://u:hidden@h/d", "://u:hidden@h", "postgres://u:p@h:port/d"],
            *["postgres://[::1/d", "postgresql+asyncpg://u:hidden@h/d", "postgresql+psycopg2://u:hidden@h/d"],
            *["sqlite+aiosqlite:///x.db", "sqlite://addgroup.db", "sqlite:///x.db?mode=ro"],
            *["postgres://u:p@hidden@h/d", "postgres://u:p@5432/hidden@h/d", "postgres://us/er:hidden@h/d"],
        ]
    },
    "ADDGROUP_LANGUAGE": {"must be one of: auto, en, tr.": ["de"]},
    "ADDGROUP_CONTACT": {"must be one id such as U0123ABCD, which Slack shows": ["@ayse", "U1,U2", ","]},
    "ADDGROUP_DOCS_URL": {"must be an address that people can open": ["docs", "https://a.example/<b>"]},
    "ADDGROUP_MEMBERS": {
        f"must be ids, comma-separated, {EXAMPLE}; not '@ayse'.": ["@ayse", "U1,@ayse"],
        "must be ids": ["u0123", "C1", "\x1b[31m"],
        "is set but holds no id.": [",", '"",""', " , ", ";"],
    },
    "ADDGROUP_CHANNELS": {"must be ids": ["#ops", "U1"], "is set but holds no id.": [","]},
    "ADDGROUP_AUDIT_CHANNEL": {"must be one id such as C0123ABCD": ["C1,C2", ",", "#ops"]},
    "ADDGROUP_API_CALLS": {
        "must be a whole number from 1 to 100.": ["0", "101", "-1", "1.5", "1e1", "1 6", "1_6", "١"]
    },
    "PORT": {"must be a whole number from 1 to 65535.": ["0", "65536", "-80", "80.0", "http", "0x50", "9" * 5000]},
    "METRICS_PORT": {"must be a whole number from 0 to 65535.": ["-1", "65536", "on"]},
    "LOG_LEVEL": {"must be one of: DEBUG, INFO, WARNING, ERROR, CRITICAL.": ["LOUD", "10"]},
    "LOG_FORMAT": {"must be one of: text, json.": ["xml"]},
}
"""What is refused: the words after the variable's name, and the values that they are said of."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    """A fault is one sentence that begins with the variable, says what is wrong, and shows nothing of a secret."""
    for words, values in REFUSED[name].items():
        for value in values:
            (problem,) = problems(**{name: value})
            assert (value, problem[: len(name) + 1 + len(words)]) == (value, f"{name} {words}")


def test_what_is_not_needed_may_be_missing() -> None:
    """Without Slack, or without the API, their credentials are not asked for; Socket Mode needs no signing secret.

    The hash is the HMAC that the provider describes where there is the secret key.
    """
    assert read({**HTTP, "ILETIMERKEZI_API_HASH": "", "ILETIMERKEZI_API_SECRET": "secret"}).api_hash == HASH_OF_SECRET
    assert read(SLACK, api=False).slack_bot_token == "xoxb-1"
    assert read(API, slack=False).api_hash == "hash"
    assert read({}, slack=False, api=False).language == "auto"
    assert not read(HTTP).socket_mode
    for unused in ("", "abc"):
        assert read({**HTTP, "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": unused}).socket_mode


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    """Each secret may come from a file, without the line end that editors leave; the variable itself counts first."""
    values = {**HTTP, "ILETIMERKEZI_API_SECRET": "secret", "SLACK_APP_TOKEN": "xapp-1", "DATABASE_URL": "sqlite:///x"}
    file = tmp_path / "secret"
    for name in SECRETS:
        file.write_text(f"{values[name]}\r\n")
        expected = read({**HTTP, name: values[name]})
        assert read({**HTTP, name: "", f"{name}_FILE": f" {file}\n"}) == expected, name
        assert read({**HTTP, name: values[name], f"{name}_FILE": "/none"}) == expected, name


def test_a_file_of_a_secret_that_cannot_be_read(tmp_path: Path) -> None:
    """It is one problem, in which neither the path, which may be the secret itself, nor the content is shown."""
    (tmp_path / "hidden-folder").mkdir()
    (tmp_path / "hidden-bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "hidden-empty").write_text("\n")
    for name, told in (("none", "No such"), ("bytes", "it is not a text in UTF-8"), ("folder", "Is a"), ("empty", "")):
        (problem,) = problems(SLACK_BOT_TOKEN="", SLACK_BOT_TOKEN_FILE=str(tmp_path / f"hidden-{name}"))
        unread = f"SLACK_BOT_TOKEN cannot be read from the file that SLACK_BOT_TOKEN_FILE names: {told}"
        assert problem.startswith(unread if told else "SLACK_BOT_TOKEN is missing")


def test_every_problem_at_once() -> None:
    """All faults are told together, not one a start."""
    wrong = {name: [*words.values()][-1][0] for name, words in REFUSED.items()}
    spared = {"SLACK_SIGNING_SECRET", "ILETIMERKEZI_API_HASH"}  # by SLACK_APP_TOKEN and ILETIMERKEZI_API_SECRET
    assert {problem.split()[0] for problem in problems(**wrong)} == {*wrong} - spared
    assert {problem.split()[0] for problem in problems(**dict.fromkeys(HTTP, ""))} == HTTP.keys()


def test_no_secret_is_shown() -> None:
    """Neither the settings' `repr` nor any problem shows what must stay secret."""
    tokens = {"SLACK_BOT_TOKEN": "xoxb-hidden", "SLACK_APP_TOKEN": "xapp-hidden", "SLACK_SIGNING_SECRET": "hidden"}
    given = {**tokens, "ILETIMERKEZI_API_KEY": "hidden", "ILETIMERKEZI_API_HASH": "hidden"}
    assert "hidden" not in repr(read({**given, "DATABASE_URL": "postgres://hidden:hidden@h/d"}))
    assert len(problems(**{name: f"hidden {value}" for name, value in given.items()}, PORT="hidden")) == 5


def test_the_secrets_are_known(tmp_path: Path) -> None:
    """What the log must not show: tokens, keys and the computed hash, also from files."""
    (tmp_path / "token").write_text("xoxb-from-file\n")
    environ = {
        "SLACK_BOT_TOKEN_FILE": str(tmp_path / "token"),
        "SLACK_SIGNING_SECRET": "abc but wrong",
        "ILETIMERKEZI_API_KEY": "key",
        "ILETIMERKEZI_API_SECRET": "secret",
        "DATABASE_URL": "postgres://u:password@h/d",
    }
    assert set(secrets_in(environ)) == {"xoxb-from-file", "abc but wrong", "secret", HASH_OF_SECRET}


def test_passwords() -> None:
    """The passwords of a database's address, as written and as meant."""
    assert passwords("sqlite:///addgroup.db") + passwords("postgres://u@h/d") == ()
    for url in ("postgres://u:p%40ss@h/d", "postgres://h/d?user=u&password=p%40ss"):
        assert set(passwords(url)) == {"p%40ss", "p@ss"}


def test_what_may_be_meant_as_a_restriction() -> None:
    """To ignore it would let everybody in, so it is refused by its name, without its value; empty it does no harm."""
    for name in (
        *("ADDGROUP_MEMBER", "ADDGROUP_MEMBERS_FILE", "ADDGROUP_CHANEL", "ADDGROUP_CHANNEL_IDS", "ADDGROUP_ADMINS"),
        *("ADDGROUP_ALLOWED_USERS", "ADDGROUP_WHITELIST", "Addgroup_Channels", "ADD_GROUP_MEMBERS", "ADDGRUP_MEMBERS"),
    ):
        (problem,) = problems(**{name: "hidden"})
        assert re.match(rf"{name} is not a variable of this bot. Do you mean ADDGROUP_(MEMBERS|CHANNELS)\b", problem)
        assert read({**HTTP, name: " "}) == read(HTTP)


def test_other_names() -> None:
    """Any other name that looks like the bot's is pointed out, with what is perhaps meant; the rest is let be."""
    for name, nearest in {
        "SLACK_TOKEN": "SLACK_BOT_TOKEN",
        "ILETIMERKEZI_KEY": "ILETIMERKEZI_API_KEY",
        "ILETIMERKEZI_TIME_OUT": "ILETIMERKEZI_TIMEOUT",
        "ADDGROUP_AUDIT_CHANNELS": "ADDGROUP_AUDIT_CHANNEL",
        "ADDGROUP_LANGUAGE_FILE": "ADDGROUP_LANGUAGE",
        "ADDGROUP_WORKERS": "",
        "SLACK_CLIENT_ID": "",
    }.items():
        assert unknown({name: "1"}) == {name: nearest}
        assert read({**HTTP, name: "1"}) == read(HTTP)
    for name in (*VARIABLES, *(f"{secret}_FILE" for secret in SECRETS), "PATH", "MEMBERS"):
        assert unknown({name: "1"}) == {}


def test_dotenv_stands_behind_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable comes from `.env` in the working directory unless the environment has it, empty or not."""
    (tmp_path / ".env").write_bytes(
        "\ufeff# a comment\nILETIMERKEZI_API_KEY='from file'\nexport ADDGROUP_LANGUAGE=tr\r\nSLACK_BOT_TOKEN=file\n"
        'NONE\nSLACK_APP_TOKEN=file\n\nADDGROUP_NAME="Müşteri"\n'.encode()
    )
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert environment() == dict(os.environ)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "environment")
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    added = {"ILETIMERKEZI_API_KEY": "from file", "ADDGROUP_LANGUAGE": "tr", "ADDGROUP_NAME": "Müşteri"}
    assert environment() == {**os.environ, **added}
    assert "ADDGROUP_NAME" not in os.environ


UNREADABLE: dict[bytes, str] = {
    "ADDGROUP_NAME=Müşteri\n".encode("iso8859-9"): "UTF-8",
    b"PORT=1\nADDGROUP_MEMBERS: U1\n": "not NAME=value: 2",
    b"ADDGROUP_MEMBERS\n": "not NAME=value: 1",
    b"set ADDGROUP_MEMBERS=U1\n": "not NAME=value: 1",
    b'SLACK_BOT_TOKEN="xoxb-hidden\nPORT=1\n': "not NAME=value: 1",
}


def test_a_dotenv_that_cannot_be_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is a problem, with its line and without its content; nothing of it is silently left out."""
    monkeypatch.chdir(tmp_path)
    for content, told in UNREADABLE.items():
        (tmp_path / ".env").write_bytes(content)
        with pytest.raises(SettingsError, match=told) as raised:
            environment()
        assert "hidden" not in str(raised.value)


def test_a_dotenv_that_may_not_be_read(tmp_path: Path) -> None:
    """The command ends with status 2, the reason and no traceback, so that no supervisor starts it again and again."""
    (tmp_path / ".env").mkdir()
    ended = run_to_end("serve", cwd=tmp_path, env=inherited())
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ".env cannot be read: Is a directory. Save it in UTF-8" in ended.stderr
    assert "Traceback" not in ended.stderr
