"""The settings: what each variable means, what is refused, and that nothing secret is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.iletimerkezi.client import Credentials
from bot.settings import SettingsError, environment, read

HTTP = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "signing",
    "ILETIMERKEZI_API_KEY": "key",
    "ILETIMERKEZI_API_HASH": "hash",
}
HASH_OF_SECRET = "96de09a0f8699191b28587118ac57df88bbf6c2d0c131d196dcd90f7efd68c93"


def problems(**environ: str) -> list[str]:
    """Return what is wrong with the variables beside the needed ones; an empty one stands for a missing one."""
    with pytest.raises(SettingsError) as caught:
        read({**HTTP, **environ})
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_defaults() -> None:
    """Only the credentials must be given; everything else has a default."""
    assert vars(read(HTTP)) == {
        "slack_bot_token": "xoxb-1",
        "slack_signing_secret": "signing",
        "slack_app_token": "",
        "slack_api_url": "https://slack.com/api/",
        "credentials": Credentials("key", "hash"),
        "api_url": "https://api.iletimerkezi.com/v1",
        "api_timeout": 10.0,
        "database_url": "sqlite:///addgroup.db",
        "language": "auto",
        "workers": 16,
        "channels": (),
        "members": (),
        "audit_channel": "",
        "host": "0.0.0.0",  # noqa: S104  # what Slack must reach
        "port": 3000,
        "log_level": "INFO",
    }


@pytest.mark.parametrize(
    ("name", "given", "attribute", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-2", "slack_bot_token", "xoxb-2"),
        ("SLACK_SIGNING_SECRET", "other", "slack_signing_secret", "other"),
        ("SLACK_APP_TOKEN", "xapp-1", "slack_app_token", "xapp-1"),
        ("SLACK_API_URL", "https://slack-gov.com/api", "slack_api_url", "https://slack-gov.com/api/"),
        ("SLACK_API_URL", "https://slack-gov.com/api/", "slack_api_url", "https://slack-gov.com/api/"),
        ("ILETIMERKEZI_API_KEY", "other", "credentials", Credentials("other", "hash")),
        ("ILETIMERKEZI_API_HASH", "other", "credentials", Credentials("key", "other")),
        ("ILETIMERKEZI_API_URL", "https://api.example.com:8443/v2", "api_url", "https://api.example.com:8443/v2"),
        ("ILETIMERKEZI_TIMEOUT", "2.5", "api_timeout", 2.5),
        ("ILETIMERKEZI_TIMEOUT", "0.1", "api_timeout", 0.1),
        ("ILETIMERKEZI_TIMEOUT", "120", "api_timeout", 120.0),
        ("DATABASE_URL", "sqlite:////var/lib/addgroup.db", "database_url", "sqlite:////var/lib/addgroup.db"),
        ("DATABASE_URL", "postgres://u:p@h:5432/d", "database_url", "postgres://u:p@h:5432/d"),
        (
            "DATABASE_URL",
            "postgresql://u:p@h/d?sslmode=require",
            "database_url",
            "postgresql://u:p@h/d?sslmode=require",
        ),
        ("ADDGROUP_LANGUAGE", "tr", "language", "tr"),
        ("ADDGROUP_LANGUAGE", "EN", "language", "en"),
        ("ADDGROUP_LANGUAGE", "Auto", "language", "auto"),
        ("ADDGROUP_API_CALLS", "1", "workers", 1),
        ("ADDGROUP_API_CALLS", "100", "workers", 100),
        ("HOST", "127.0.0.1", "host", "127.0.0.1"),
        ("PORT", "1", "port", 1),
        ("PORT", "65535", "port", 65535),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LOG_LEVEL", "Warning", "log_level", "WARNING"),
    ],
)
@pytest.mark.parametrize("form", ["{}", " {}\n", "\t{} "])
def test_each_variable(name: str, given: str, attribute: str, value: object, form: str) -> None:
    """Each variable reaches its setting, without the white space that copying leaves around it."""
    settings = read({**HTTP, name: form.format(given)})
    assert getattr(settings, attribute) == value
    assert type(getattr(settings, attribute)) is type(value)


@pytest.mark.parametrize("name", ["SLACK_API_URL", "ILETIMERKEZI_API_URL", "ILETIMERKEZI_TIMEOUT", "ADDGROUP_LANGUAGE"])
@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_is_not_set(name: str, blank: str) -> None:
    """A blank variable means its default."""
    assert read({**HTTP, name: blank}) == read(HTTP)


def test_hash_is_computed_from_the_secret() -> None:
    """With the secret key instead of the hash, the hash is the HMAC that the provider describes."""
    settings = read({**HTTP, "ILETIMERKEZI_API_HASH": "", "ILETIMERKEZI_API_SECRET": " secret "})
    assert settings.credentials == Credentials("key", HASH_OF_SECRET)


def test_hash_and_secret() -> None:
    """Both at once are refused: they might not belong together."""
    assert problems(ILETIMERKEZI_API_SECRET="secret") == [
        "Set ILETIMERKEZI_API_HASH or ILETIMERKEZI_API_SECRET, not both."
    ]


def test_socket_mode() -> None:
    """An app-level token selects Socket Mode, in which no signing secret is needed."""
    assert not read(HTTP).socket_mode
    assert read({**HTTP, "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": ""}).socket_mode


def test_what_is_not_needed_may_be_missing() -> None:
    """Without Slack, or without the API, their credentials are not asked for."""
    slack = {name: value for name, value in HTTP.items() if name.startswith("SLACK")}
    api = {name: value for name, value in HTTP.items() if name not in slack}
    assert read(slack, api=False).slack_bot_token == "xoxb-1"
    assert read(api, slack=False).credentials == Credentials("key", "hash")
    assert read({}, slack=False, api=False).language == "auto"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is missing"),
        ({"SLACK_BOT_TOKEN": "xoxp-1"}, "SLACK_BOT_TOKEN must begin with xoxb-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1 xoxb-2"}, "SLACK_BOT_TOKEN contains a space"),
        ({"SLACK_BOT_TOKEN": "xoxb-ş"}, "SLACK_BOT_TOKEN contains"),
        ({"SLACK_SIGNING_SECRET": " "}, "SLACK_SIGNING_SECRET is missing"),
        ({"SLACK_SIGNING_SECRET": "a\nb"}, "SLACK_SIGNING_SECRET contains"),
        ({"SLACK_APP_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN must begin with xapp-"),
        ({"ILETIMERKEZI_API_KEY": ""}, "ILETIMERKEZI_API_KEY is missing"),
        ({"ILETIMERKEZI_API_HASH": ""}, "ILETIMERKEZI_API_HASH is missing"),
        ({"ADDGROUP_LANGUAGE": "de"}, "ADDGROUP_LANGUAGE must be one of: auto, en, tr"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of: INFO, DEBUG, WARNING, ERROR, CRITICAL"),
        ({"LOG_LEVEL": "10"}, "LOG_LEVEL must be one of"),
        ({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s"}, "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set"),
        ({"SLACK_CLIENT_ID": "", "SLACK_CLIENT_SECRET": ""}, "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set"),
    ],
)
def test_one_problem(environ: dict[str, str], named: str) -> None:
    """A fault is one sentence that begins with the variable and says what is wrong."""
    (problem,) = problems(**environ)
    assert problem.startswith(named)
    assert problem.endswith(".")


@pytest.mark.parametrize("name", ["SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"])
def test_half_of_oauth_is_harmless(name: str) -> None:
    """One of the OAuth pair alone changes nothing in Slack's library, and is let be."""
    assert read({**HTTP, name: "1.2"}) == read(HTTP)


@pytest.mark.parametrize(
    ("name", "least_and_most", "values"),
    [
        (
            "ILETIMERKEZI_TIMEOUT",
            "a number from 0.1 to 120",
            ["0", "0.09", "-1", "120.1", "nan", "inf", "-inf", "ten", "1,5"],
        ),
        (
            "ADDGROUP_API_CALLS",
            "a whole number from 1 to 100",
            ["0", "101", "-1", "1.5", "nan", "inf", "1e1", "many", "1 6"],
        ),
        ("PORT", "a whole number from 1 to 65535", ["0", "65536", "-80", "80.0", "http", "0x50", "9" * 5000]),
    ],
)
def test_numbers(name: str, least_and_most: str, values: list[str]) -> None:
    """What is no number, or out of range, is refused with the range."""
    for value in values:
        assert problems(**{name: value}) == [f"{name} must be {least_and_most}."]


def test_astronomical_number() -> None:
    """A number too large for any arithmetic is refused as any other out of range."""
    assert problems(PORT="9" * 400) == ["PORT must be a whole number from 1 to 65535."]


URLS = pytest.mark.parametrize("name", ["SLACK_API_URL", "ILETIMERKEZI_API_URL"])


@URLS
@pytest.mark.parametrize(
    "url", ["http://localhost:8080/v1/", "http://127.0.0.1:1/", "http://[::1]:80/", "HTTP://LOCALHOST/"]
)
def test_plain_http_on_loopback(name: str, url: str) -> None:
    """Plain http is allowed on loopback, where nobody listens on the way."""
    assert url in vars(read({**HTTP, name: url})).values()


@URLS
@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://localhost.example.com/", "http://127.0.0.1.example.com", "http://10.0.0.1/"]
)
def test_plain_http_elsewhere(name: str, url: str) -> None:
    """Plain http to anywhere else is refused: it would show the credentials."""
    (problem,) = problems(**{name: url})
    assert problem.startswith(f"{name} must begin with https://")


MALFORMED = [
    "example.com",
    "ftp://example.com",
    "https://",
    "https:///v1",
    "https://h:port",
    "https://h:0",
    "https://h:99999",
]
MALFORMED += ["https://[", "https://user:password@h", "http://user@localhost", "https://h/?key=1", "https://h/#part"]


@URLS
@pytest.mark.parametrize("url", MALFORMED)
def test_malformed_addresses(name: str, url: str) -> None:
    """What is no plain address is refused, with an example of one."""
    (problem,) = problems(**{name: url})
    assert problem.startswith(f"{name} must be an address such as https://")


@URLS
@pytest.mark.parametrize("url", ["https://:password@h", "https://h/a path", "https://h\t.com"])
def test_addresses_with_passwords_or_spaces(name: str, url: str) -> None:
    """A password without a name, and white space, make no address either."""
    (problem,) = problems(**{name: url})
    assert problem.startswith(f"{name} must be an address such as https://")


@pytest.mark.parametrize("value", ["a b", "a\nb", "ş", "\udcff"])
@pytest.mark.parametrize("name", ["KEY", "HASH", "SECRET"])
def test_unreadable_api_credentials(name: str, value: str) -> None:
    """A credential with a character that none has is refused here, not by the API later."""
    environ = {"ILETIMERKEZI_API_HASH": ""} if name == "SECRET" else {}
    (problem,) = problems(**environ, **{f"ILETIMERKEZI_API_{name}": value})
    assert problem.startswith(f"ILETIMERKEZI_API_{name} contains")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"])
def test_journal_in_memory(url: str) -> None:
    """A journal that would be gone after a restart is refused."""
    (problem,) = problems(DATABASE_URL=url)
    assert problem.startswith("DATABASE_URL must name a file")


@pytest.mark.parametrize("url", ["addgroup.db", "mysql://u:hidden@h/d", "://u:hidden@h", "http://u:hidden@h/d"])
def test_other_databases(url: str) -> None:
    """Anything but SQLite and PostgreSQL is refused, and the address with its password is not shown."""
    (problem,) = problems(DATABASE_URL=url)
    assert problem.startswith("DATABASE_URL must be an address such as ")
    assert "hidden" not in problem


@pytest.mark.parametrize("url", ["postgres://u:p@h:port/d", "postgres://u:p@hid:den@h/d", "postgres://[::1/d"])
def test_malformed_database_address(url: str) -> None:
    """An address of which no port can be read is a problem as any other, not a crash."""
    (problem,) = problems(DATABASE_URL=url)
    assert problem.startswith("DATABASE_URL must be an address such as ")


def test_every_problem_at_once() -> None:
    """All faults are told together, not one a start."""
    wrong = {
        "SLACK_APP_TOKEN": "wrong",
        "SLACK_API_URL": "wrong",
        "ILETIMERKEZI_API_URL": "wrong",
        "ILETIMERKEZI_TIMEOUT": "wrong",
        "DATABASE_URL": "wrong",
        "ADDGROUP_LANGUAGE": "wrong",
        "ADDGROUP_API_CALLS": "wrong",
        "PORT": "wrong",
        "LOG_LEVEL": "wrong",
        "SLACK_CLIENT_ID": "",
        "SLACK_CLIENT_SECRET": "",
        **dict.fromkeys(HTTP, ""),
    }
    named = {problem.split()[0] for problem in problems(**wrong)}
    assert named == wrong.keys() - {"SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET"}
    assert {problem.split()[0] for problem in problems(**dict.fromkeys(HTTP, ""))} == HTTP.keys()


def test_no_secret_is_shown() -> None:
    """Neither the settings' `repr` nor any problem shows what must stay secret."""
    tokens = {"SLACK_BOT_TOKEN": "xoxb-hidden", "SLACK_APP_TOKEN": "xapp-hidden", "SLACK_SIGNING_SECRET": "hidden"}
    api = {"ILETIMERKEZI_API_KEY": "hidden", "ILETIMERKEZI_API_HASH": "hidden"}
    settings = read({**tokens, **api, "DATABASE_URL": "postgres://hidden:hidden@h/d"})
    assert "hidden" not in f"{settings!r} {settings} {settings.credentials!r} {settings.credentials}"
    broken = {name: f"hidden {value}" for name, value in {**tokens, **api}.items()}
    urls = {"SLACK_API_URL": "https://u:hidden@h", "ILETIMERKEZI_API_URL": "http://hidden", "PORT": "hidden"}
    more = {"ILETIMERKEZI_API_SECRET": "hidden", "SLACK_CLIENT_ID": "hidden", "SLACK_CLIENT_SECRET": "hidden"}
    assert "hidden" not in str(problems(**broken, **urls, **more))


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
