"""Opening a journal: its tables, made once, and the versions of them."""

import pytest
from sqlalchemy import Engine, insert, inspect, literal, select, text

from bot.journal import WrongJournal, tables
from bot.journal.history import entries
from bot.journal.journal import Journal
from tests.support.journal import CREATED, Open, accepted, at_once, process, run_together, sent, typed

OF_0_2_0 = {
    tables.jobs: "id trigger user asker origin followup follows channel typed language response_url accepted_at due_at "
    "attempts faults process root_channel root_ts reply_to root_final answer_ts answered_at closed_at",
    tables.steps: "job position name name_key parent_id parent_name parent_key above state reason group_id outcome "
    "sent_at settled_at",
}
"""The columns of version 1, in the tables that may get more: each further one comes by a migration."""


def test_many_open_an_empty_database_at_once(database_url: str, engine: Engine) -> None:
    """Real processes make the tables together, and each can write."""
    script = "journal.open(); journal.keep(); print('ready')"
    assert run_together(*[process(database_url, script) for _ in range(3)]) == ["ready\n"] * 3
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM schema_version")) == 1


def test_a_journal_of_0_2_0(engine: Engine, open_journal: Open) -> None:
    """It gets the columns that it lacks; what is in it stays, and what 0.2.0 still writes beside counts as private.

    One that lacks a table or another column is refused as it is.
    """

    def change(*statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    told, hidden = typed(user="U1"), typed("Gold", user="U2")
    accepted(open_journal(), told, hidden)
    known = {table: [table.columns[name] for name in names.split()] for table, names in OF_0_2_0.items()}
    added = [column for table in known for column in table.columns if column not in set(known[table])]
    old = *(f"ALTER TABLE {c.table} DROP COLUMN {c.name}" for c in added), "UPDATE schema_version SET version = 1"
    change(*old)
    assert {entry["job"] for entry in entries(engine)} == {told.id, hidden.id}, "history reads it as it is"
    at_once(*[open_journal] * 3)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT version FROM schema_version")) == tables.VERSION
        for table, names in ((tables.jobs, ("id", "trigger")), (tables.steps, ("job",))):
            copied = [literal("beside") if column.name in names else column for column in known[table]]
            rows = select(*copied).where(table.c[names[0]] == told.id)
            connection.execute(insert(table).from_select([column.name for column in known[table]], rows))
    book, new = open_journal(), typed("New", user="U3")
    accepted(book, new)
    for reader, seen in (("U1", {told.id, "beside", new.id}), ("U2", {hidden.id, new.id}), ("", {new.id})):
        assert {job.id for job in book.recent(9, reader)} == seen, reader
    book.close()
    change(*old)
    for statement, lacks in (
        ("DROP TABLE languages", "languages lacks"),
        ("ALTER TABLE jobs DROP COLUMN follows", "follows"),
    ):
        change(statement)
        with pytest.raises(WrongJournal, match=f"another version .*{lacks}.*docs/upgrade.md"):
            open_journal()
    assert "channel_kind" not in {column["name"] for column in inspect(engine).get_columns("jobs")}


def test_a_newer_schema_is_left_alone(book: Journal, open_journal: Open, engine: Engine) -> None:
    """An old process that starts beside new ones changes nothing, and works."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version = 99"))
    sent(open_journal(), typed(), CREATED)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version FROM schema_version")) == 99
