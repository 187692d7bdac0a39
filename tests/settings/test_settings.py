"""The settings: what each variable means, what is refused, and that nothing secret is shown."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock

import pytest

from bot.settings import PROXIES, SECRETS, VARIABLES, SettingsError, read, secrets_in

SIGNING = "0123456789abcdef" * 2
HTTP = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": SIGNING,
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
        "slack_signing_secret": SIGNING,
        "slack_app_token": "",
        "slack_api_url": "https://slack.com/api/",
        "api_key": "key",
        "api_hash": "hash",
        "api_url": "https://api.iletimerkezi.com/v1",
        "api_timeout": 10.0,
        "database_url": "sqlite:///addgroup.db",
        "language": "auto",
        "contact": "",
        "docs_url": "",
        "api_calls": 16,
        "channels": (),
        "members": (),
        "audit_channel": "",
        "host": "0.0.0.0",  # noqa: S104  # what Slack must reach
        "port": 3000,
        "metrics_port": 0,
        "log_level": "INFO",
        "log_format": "text",
    }


@pytest.mark.parametrize(
    ("name", "given", "attribute", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-2", "slack_bot_token", "xoxb-2"),
        ("SLACK_SIGNING_SECRET", "f" * 32, "slack_signing_secret", "f" * 32),
        ("SLACK_APP_TOKEN", "xapp-1", "slack_app_token", "xapp-1"),
        ("SLACK_API_URL", "https://slack-gov.com/api", "slack_api_url", "https://slack-gov.com/api/"),
        ("SLACK_API_URL", "https://slack-gov.com/api/", "slack_api_url", "https://slack-gov.com/api/"),
        ("ILETIMERKEZI_API_KEY", "other", "api_key", "other"),
        ("ILETIMERKEZI_API_HASH", "other", "api_hash", "other"),
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
        ("ADDGROUP_API_CALLS", "1", "api_calls", 1),
        ("ADDGROUP_API_CALLS", "100", "api_calls", 100),
        ("ADDGROUP_CONTACT", "U0123ABCD", "contact", "U0123ABCD"),
        ("ADDGROUP_DOCS_URL", "https://git.example/docs/", "docs_url", "https://git.example/docs"),
        ("ADDGROUP_CONTACT", "S1", "contact", "S1"),
        ("ADDGROUP_CONTACT", "C1", "contact", "C1"),
        ("ADDGROUP_MEMBERS", "U1, W2;S3 U4", "members", ("U1", "W2", "S3", "U4")),
        ("ADDGROUP_MEMBERS", "'U1',\"S3\"", "members", ("U1", "S3")),
        ("ADDGROUP_CHANNELS", "C1,G2,D3,", "channels", ("C1", "G2", "D3")),
        ("ADDGROUP_AUDIT_CHANNEL", "C1", "audit_channel", "C1"),
        ("HOST", "127.0.0.1", "host", "127.0.0.1"),
        ("HOST", "localhost", "host", "localhost"),
        ("HOST", "::", "host", "::"),
        ("HOST", "::1", "host", "::1"),
        ("HOST", "[::]", "host", "::"),
        ("METRICS_PORT", "9100", "metrics_port", 9100),
        ("METRICS_PORT", "0", "metrics_port", 0),
        ("LOG_FORMAT", "JSON", "log_format", "json"),
        ("PORT", "1", "port", 1),
        ("PORT", "65535", "port", 65535),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LOG_LEVEL", "Warning", "log_level", "WARNING"),
    ],
)
@pytest.mark.parametrize("form", ["{}", " {}\r\n", "\t{} ", '"{}"', "'{}'", "\ufeff{}", ' " {} "\r', "“{}”"])
def test_each_variable(name: str, given: str, attribute: str, value: object, form: str) -> None:
    """Each variable reaches its setting, without the white space, quotes and marks that copying leaves around it."""
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
    assert settings.api_hash == HASH_OF_SECRET


def test_hash_and_secret() -> None:
    """Both at once are refused: they might not belong together."""
    assert problems(ILETIMERKEZI_API_SECRET="secret") == [
        "Set ILETIMERKEZI_API_HASH or ILETIMERKEZI_API_SECRET, not both."
    ]


def test_socket_mode() -> None:
    """An app-level token selects Socket Mode, in which the signing secret does not matter."""
    assert not read(HTTP).socket_mode
    for unused in ("", "abc"):
        assert read({**HTTP, "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": unused}).socket_mode


@pytest.mark.parametrize("name", ["ADDGROUP_MEMBERS", "ADDGROUP_CHANNELS", "ADDGROUP_AUDIT_CHANNEL"])
@pytest.mark.parametrize("value", [",", '""', "''", '"",""', " , ", ";"])
def test_a_list_without_an_id(name: str, value: str) -> None:
    """A restriction that names nobody is refused: it must not let everybody in."""
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{name} is set but holds no id.")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:3999", "[::1]:3999", "http://0.0.0.0", "300.1.1.1", "*", "a b", "[::1", "::1]", "ev.örnek"]
)
def test_a_host_that_is_none(host: str) -> None:
    """What is not an address alone is refused, and where the port belongs is said."""
    (problem,) = problems(HOST=host)
    assert problem == "HOST must be an address alone, such as 127.0.0.1 or ::1. The port is in PORT."


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy", ["proxy:8080", "u:hidden@proxy:8080", "socks5://u:hidden@proxy", "http://u:hid/den@proxy:8080", "http://"]
)
def test_a_proxy_that_is_not_understood(name: str, proxy: str) -> None:
    """A proxy without http:// and one of another kind are refused at the start, and the password is not shown."""
    (problem,) = problems(**{name: proxy})
    assert problem.startswith(f"{name} must be an address such as http://proxy")
    assert "hid" not in problem


@pytest.mark.parametrize("proxy", ["", "http://proxy:8080", "https://u:p%40ss@proxy/", "HTTP://[::1]:3128"])
def test_a_proxy(proxy: str) -> None:
    """A whole address is let be."""
    assert read({**HTTP, "HTTPS_PROXY": proxy}) == read(HTTP)


def test_what_is_not_needed_may_be_missing() -> None:
    """Without Slack, or without the API, their credentials are not asked for."""
    slack = {name: value for name, value in HTTP.items() if name.startswith("SLACK")}
    api = {name: value for name, value in HTTP.items() if name not in slack}
    assert read(slack, api=False).slack_bot_token == "xoxb-1"
    assert (read(api, slack=False).api_key, read(api, slack=False).api_hash) == ("key", "hash")
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
        ({"SLACK_SIGNING_SECRET": "abc"}, "SLACK_SIGNING_SECRET must be the 32 hexadecimal digits"),
        ({"ADDGROUP_DOCS_URL": "docs"}, "ADDGROUP_DOCS_URL must be an address"),
        ({"ADDGROUP_DOCS_URL": "https://a.example/<b>"}, "ADDGROUP_DOCS_URL must be an address"),
        ({"SLACK_BOT_TOKEN": "xoxb-"}, "SLACK_BOT_TOKEN must begin with xoxb-"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be one of: text, json"),
        ({"METRICS_PORT": "3000"}, "METRICS_PORT must be another port than PORT"),
        ({"ADDGROUP_CONTACT": "@ayse"}, "ADDGROUP_CONTACT must be one id such as U0123ABCD"),
        ({"ADDGROUP_CONTACT": "U1,U2"}, "ADDGROUP_CONTACT must be one id"),
        ({"ADDGROUP_MEMBERS": "@ayse"}, "ADDGROUP_MEMBERS must be ids"),
        ({"ADDGROUP_MEMBERS": "u0123"}, "ADDGROUP_MEMBERS must be ids"),
        ({"ADDGROUP_CHANNELS": "#ops"}, "ADDGROUP_CHANNELS must be ids"),
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
            ["0", "101", "-1", "1.5", "nan", "inf", "1e1", "many", "1 6", "1_6", "١"],
        ),
        ("METRICS_PORT", "a whole number from 0 to 65535", ["-1", "65536", "on"]),
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


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_from_a_file(tmp_path: Path, name: str) -> None:
    """Each secret may come from a file, without the line end that editors leave; both at once are refused."""
    values = {**HTTP, "ILETIMERKEZI_API_SECRET": "secret", "SLACK_APP_TOKEN": "xapp-1", "DATABASE_URL": "sqlite:///x"}
    environ = {**HTTP, name: values[name]} | ({"ILETIMERKEZI_API_HASH": ""} if name.endswith("API_SECRET") else {})
    file = tmp_path / "secret"
    file.write_text(f"{values[name]}\r\n")
    from_file = {**environ, name: "", f"{name}_FILE": f" {file}\n"}
    assert read(from_file) == read(environ) != read({**HTTP, name: ""}, slack=False, api=False)
    assert problems(**{**environ, f"{name}_FILE": str(file)}) == [f"Set {name} or {name}_FILE, not both."]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", "folder"])
def test_a_file_of_a_secret_that_cannot_be_read(tmp_path: Path, content: bytes | str | None) -> None:
    """It is one problem, in which neither the path, which may be the secret itself, nor the content is shown."""
    file = tmp_path / "hidden"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    (problem,) = problems(SLACK_BOT_TOKEN="", SLACK_BOT_TOKEN_FILE=str(file))
    assert problem.startswith("SLACK_BOT_TOKEN_FILE must name a file that the bot may read: ")
    assert "hidden" not in problem


def test_an_empty_file_of_a_secret(tmp_path: Path) -> None:
    """An empty file holds no secret, which is then missing."""
    (tmp_path / "empty").write_text("\n")
    (problem,) = problems(SLACK_BOT_TOKEN="", SLACK_BOT_TOKEN_FILE=str(tmp_path / "empty"))
    assert problem.startswith("SLACK_BOT_TOKEN is missing")


def test_the_names_are_those_that_are_read() -> None:
    """The list of variables is what `read` asks for, and the list of secrets what may come from files."""
    environ = MagicMock(spec=dict)
    environ.get.return_value = ""
    environ.__contains__.return_value = False
    environ.keys.return_value = set()
    read(environ, slack=False, api=False)
    asked = {call.args[0] for call in environ.get.call_args_list}
    files = {f"{name}_FILE" for name in SECRETS}
    assert asked - set(PROXIES) == set(VARIABLES) | files


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
    assert "hidden" not in f"{settings!r} {settings}"
    broken = {name: f"hidden {value}" for name, value in {**tokens, **api}.items()}
    urls = {"SLACK_API_URL": "https://u:hidden@h", "ILETIMERKEZI_API_URL": "http://hidden", "PORT": "hidden"}
    more = {"ILETIMERKEZI_API_SECRET": "hidden", "SLACK_CLIENT_ID": "hidden", "SLACK_CLIENT_SECRET": "hidden"}
    assert "hidden" not in str(problems(**broken, **urls, **more))


def test_the_secrets_are_known(tmp_path: Path) -> None:
    """What the log must not show: tokens, keys, the computed hash and a proxy's password, also from files."""
    (tmp_path / "token").write_text("xoxb-from-file\n")
    environ = {
        "SLACK_BOT_TOKEN_FILE": str(tmp_path / "token"),
        "SLACK_SIGNING_SECRET": "abc-but-wrong",
        "ILETIMERKEZI_API_KEY": "key",
        "ILETIMERKEZI_API_SECRET": "secret",
        "HTTPS_PROXY": "http://bot:p%40ssword@proxy:80",
    }
    secrets = {"xoxb-from-file", "abc-but-wrong", "secret", HASH_OF_SECRET, "p%40ssword", "p@ssword"}
    assert set(secrets_in(environ)) == secrets
