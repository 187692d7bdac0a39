"""What every test shares: stand-ins on loopback, and a bot between them, in this process, behind real HTTP."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Connection, Dialect, Engine, event

from bot import log, network
from bot.journal.database import connect
from bot.journal.journal import Journal
from bot.sandbox.bot import Bot, variables
from bot.worker import create_groups as steps
from tests.support import limits
from tests.support.postgresql import server
from tests.support.program import LIMITS
from tests.support.provider import Api
from tests.support.served import Served
from tests.support.worker import CALL
from tests.support.workspace import Workspace

COMPILED: dict[str, tuple[Dialect, dict[Any, Any]]] = {}
"""Each kind of database, and the statements that were compiled for it."""

hypothesis.settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
hypothesis.settings.register_profile("thorough", max_examples=500, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@event.listens_for(Engine, "engine_connect")
def _share_what_is_compiled(connection: Connection) -> None:
    """Let all engines of a kind share their compiled statements: to compile them is a third of what a bot costs."""
    dialect, cache = COMPILED.setdefault(connection.dialect.name, (connection.dialect, {}))
    connection.engine.dialect = connection.dialect = dialect
    connection.engine.update_execution_options(compiled_cache=cache)


def pytest_configure() -> None:
    """Let the programs that tests start take the signals that nohup or a shell's & ignores; this process goes on."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    # pytest would name the test in the environment, which threads of a bot read at any moment: they break at a change.
    pytest.MonkeyPatch().setattr("_pytest.runner._update_current_test_var", lambda *_: None)


SLOWEST = (
    *("tests/test_chaos.py", "tests/docs/test_commands.py", "tests/test_serves.py", "tests/journal/test_pgbouncer.py"),
    *("tests/sandbox/test_makefile.py", "tests/test_upgrade.py", "tests/test_load.py"),
    "tests/front/test_socket_mode.py",
    *("tests/test_metrics.py", "tests/docs/test_pictures.py", "tests/test_network.py"),
)
"""The files whose tests take longest, as they start processes and wait for them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each process of a run begin with its share of what takes longest: at the end nobody waits for one of them.

    With `--dist worksteal` each first gets an equal part of the tests, in their order.
    """
    processes: int = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [item for name in SLOWEST for item in items if item.nodeid.startswith(name)]
    quick = [item for item in items if not item.nodeid.startswith(SLOWEST)]
    items[:] = [
        item
        for number in range(processes)
        for item in slow[number::processes]
        + quick[len(quick) * number // processes : len(quick) * (number + 1) // processes]
    ]


def pytest_sessionfinish() -> None:
    """Leave no bot running, whatever failed."""
    for served in tuple(Served.running):
        served.kill()


@pytest.fixture(autouse=True)
def _as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep out the machine's proxies and the developer's settings; be quiet as `serve`, and more patient."""
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("SLACK_", "ILETIMERKEZI_", "ADDGROUP_")):
            monkeypatch.delenv(name)
    log.quiet()
    network.context.cache_clear()  # a test may trust others
    monkeypatch.setattr("sys.excepthook", sys.excepthook)  # which the log takes over where `serve` runs
    monkeypatch.setattr("threading.excepthook", threading.excepthook)
    for limit, seconds in LIMITS.items():
        monkeypatch.setattr(limit, seconds)
    monkeypatch.setattr("bot.log._due", {})  # what an earlier test logged is no repetition


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as stand_in:
        stand_in.add("Customers", identifier="5")
        yield stand_in


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace("0123456789abcdef0123456789abcdef", limits.problems) as stand_in:
        stand_in.trigger_seconds = 30  # a machine that is busy with tests is slower than three seconds
        yield stand_in
        assert not stand_in.problems, "Slack would have refused this"


@pytest.fixture
def served(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Served]:
    served = Served(workspace, api, tmp_path, ADDGROUP_LANGUAGE="en")
    yield served
    served.kill()


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[Any]:
    """Run a real PostgreSQL server, from a wheel: one for all processes of the run."""
    with server(f"{tempfile.gettempdir()}/addgroup-{testrun_uid}") as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a self-signed certificate of 127.0.0.1, with its key in the same file."""
    openssl = shutil.which("openssl") or pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, crt, both = (folder / name for name in ("key.pem", "crt.pem", "both.pem"))
    asked = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=tests"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(crt)]
    subprocess.run([openssl, *asked.split(), *names], check=True, capture_output=True)  # noqa: S603  # our own words
    both.write_text(key.read_text() + crt.read_text())
    return both


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    postgres = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    return str(postgres.get_uri(name)).replace("postgresql://", "postgres://", 1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Look at the test's database, and change it, past the journal."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def empty_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the file of an empty journal, which each test copies instead of making the tables."""
    file = tmp_path_factory.mktemp("journal") / "empty.db"
    journal = Journal(f"sqlite:///{file}")
    journal.open()
    journal.close()
    return file


@pytest.fixture
def start(
    workspace: Workspace, api: Api, tmp_path: Path, empty_journal: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Bot]]:
    """Start a bot between the stand-ins; keyword arguments are further variables of its environment.

    Without DATABASE_URL it uses journal.db in the test's own folder.
    """
    file = tmp_path / "journal.db"
    shutil.copy(empty_journal, file)
    monkeypatch.setattr(steps, "LOOK_UP_AFTER", 0.05)
    with ExitStack() as stack:

        def _start(**environ: str) -> Bot:
            more = {"ILETIMERKEZI_TIMEOUT": str(CALL), "ADDGROUP_API_CALLS": "4", "DATABASE_URL": f"sqlite:///{file}"}
            bot = Bot({**variables(workspace, api), **more, **environ})
            bot.start()
            stack.callback(bot.stop, 5)  # what is left under way meets stand-ins that are gone
            return bot

        yield _start
