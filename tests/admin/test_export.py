"""The forms in which `history` prints: for people, for machines and for spreadsheets."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from bot.admin.history import plain, write_csv
from bot.journal.history import OF_JOB, OF_STEP, Entry
from bot.journal.journal import Journal
from bot.journal.tables import steps
from bot.model.outcome import Created, Rejected, Skipped
from tests.support.history import NOON, Print, dated, done
from tests.support.served import inherited

ROOT = Path(__file__).parents[2]
BYTE_ORDER_MARK = "\ufeff"


HOSTILE = "\x1b[2J\x1b[1;1HVIP\r\x9b2K\u202egpj\u2028\x07"


def test_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    """What it cannot show is escaped; what programs read is in UTF-8 everywhere, for spreadsheets with its mark."""
    url, typed = f"sqlite:///{tmp_path}/journal.db", "Müşteriler ığ €"
    book = Journal(url)
    book.open()
    book.keep()
    done(book, Skipped(), typed=typed)
    book.close()

    def printed_bytes(encoding: str, *options: str) -> bytes:
        environ = {**inherited(), "DATABASE_URL": url, "PYTHONIOENCODING": encoding}
        command = [sys.executable, "-m", "bot", "history", *options]
        ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=30, check=True)  # noqa: S603
        assert ended.stderr == b""
        return ended.stdout

    for encoding in ("ascii", "iso8859-9"):
        assert typed.encode(encoding, "backslashreplace") in printed_bytes(encoding)
    assert json.loads(printed_bytes("ascii", "--json"))["typed"] == typed
    table = printed_bytes("iso8859-9", "--csv").decode()
    assert table.startswith('\ufeff"job",')
    assert typed in table


def test_no_name_moves_the_cursor(book: Journal, engine: Engine, printed: Print) -> None:
    """What a terminal would act on is shown, not done, in every form; JSON still says what was typed."""
    done(book, Rejected(499, HOSTILE), typed=HOSTILE)
    with engine.begin() as connection:
        connection.execute(update(steps).values(name=HOSTILE))
    for options in ({}, {"json": True}, {"csv": True}):
        out = printed(**options)[1].removeprefix(BYTE_ORDER_MARK)
        assert [char for char in out if not char.isprintable() and char != "\n"] == []
    _, out, _ = printed(json=True)
    assert json.loads(out)["typed"] == json.loads(out)["steps"][0]["name"] == HOSTILE


@given(st.lists(st.text("=+-@＝;,'\" \t\r\nax", max_size=12), min_size=1, max_size=3))
def test_no_cell_is_a_formula(texts: list[str]) -> None:
    """However the characters that matter are put together, and whichever separator the spreadsheet takes."""
    out = io.StringIO()
    write_csv([entry(typed=text) for text in texts], out)
    assert formulas(out.getvalue()) == []


def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe() -> None:
    """Which a spreadsheet takes for the sign of text, and does not show."""
    out = io.StringIO()
    write_csv([entry(typed=f"{start}VIP") for start in "=+-@\t\r"], out)
    rows = csv.DictReader(io.StringIO(out.getvalue().removeprefix(BYTE_ORDER_MARK)))
    assert [(row["typed"], row["name"]) for row in rows] == [(f"'{plain(start)}VIP",) * 2 for start in "=+-@\t\r"]


def formulas(table: str) -> list[str]:
    """Return the cells in which a spreadsheet may see a formula."""
    rows = [row for separator in ",;\t" for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator)]
    return [cell for row in rows for cell in row if cell.lstrip(' "').startswith(tuple("=+-@＝＋－＠\t\r\n"))]


def entry(**more: Any) -> Entry:
    """Return an entry with one step."""
    step = dict.fromkeys(OF_STEP, "") | {"name": more["typed"], "reason": more["typed"], "found": ("7", "8")}
    return dict.fromkeys(OF_JOB, "U1") | {"accepted_at": NOON, "steps": [step], **more}


def test_csv_has_a_header_and_one_row_a_step(book: Journal, printed: Print) -> None:
    """The job's columns come again with each of its steps; without jobs the header stands alone."""
    header = ",".join(f'"{name}"' for name in (*OF_JOB, *OF_STEP))
    assert printed(csv=True)[1] == f"{BYTE_ORDER_MARK}{header}\n"
    job = done(book, Created("97101"), Rejected(461, "x"), Skipped())
    rows = csv.DictReader(io.StringIO(printed(csv=True)[1].removeprefix(BYTE_ORDER_MARK)))
    told = [(job.id, str(place), state) for place, state in enumerate(("created", "rejected", "skipped"))]
    assert [(row["job"], row["step"], row["state"]) for row in rows] == told


def test_the_table(book: Journal, engine: Engine, printed: Print) -> None:
    """A line a job and a line a step, under a head."""
    job = done(book, Created("97101"), Rejected(463, "Yok"), typed="A\n  B")
    dated(engine, job, NOON)
    with engine.begin() as connection:
        connection.execute(update(steps).values(settled_at=NOON.timestamp() + 1))
    assert printed()[1].splitlines() == [
        "accepted (UTC)           who         where       job              typed",
        rf"2026-03-01T12:00:00.000Z U1          C1          {job.id} A\n  B",
        "  created   Group 0  under 5  ID 97101  2026-03-01T12:00:01.000Z",
        "  rejected  Group 1  under 5  code 463  Yok  2026-03-01T12:00:01.000Z",
    ]


def test_who_has_seen_enough_may_go(book: Journal, database_url: str) -> None:
    """`history | head -1` ends with status 0 and without a traceback."""
    for _ in range(3):
        done(book, Skipped(), typed="x" * 60_000)
    command = [sys.executable, "-m", "bot", "history", "--json"]
    environ = {**inherited(), "DATABASE_URL": database_url}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    complained = process.stderr.read()
    process.stderr.close()
    assert (process.wait(20), complained) == (0, b"")
