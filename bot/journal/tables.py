"""The journal's tables, on SQLite and PostgreSQL alike: the schema, its versions, and the database's clock."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Connection, Double, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from bot.journal import WrongJournal

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trigger", Text, nullable=False, unique=True),  # Slack's trigger_id: once per invocation
    Column("user", Text, nullable=False),
    Column("asker", Text, nullable=False),  # who is named in the root: of a button's job, who typed the first one
    Column("origin", Text, nullable=False),  # the job from whose answer this one goes on, or itself
    Column("followup", Text),  # the button that started it
    Column("follows", Text),  # the job under whose answer the button was
    Column("channel", Text, nullable=False),
    Column("typed", Text, nullable=False),
    Column("language", Text, nullable=False),  # "" while it is not known
    Column("response_url", Text),  # removed as soon as it is of no use
    Column("accepted_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),  # not to be carried before
    Column("attempts", Integer, nullable=False, default=0),  # how often it was postponed
    Column("faults", Integer, nullable=False, default=0),  # how often carrying it raised an unexpected error
    Column("process", Text),  # who holds it
    Column("root_channel", Text),
    Column("root_ts", Text),
    Column("reply_to", Text),  # the ts of the message in whose thread the root stands, if it stands in one
    Column("root_final", Integer, nullable=False, default=0),  # the root shows the result
    Column("answer_ts", Text),  # the ts of the message with the answer's buttons, if it stands in the thread
    Column("answered_at", Double),  # open until then
    Column("closed_at", Double),  # nothing is left to do
    Column("channel_kind", Text),  # NULL: not known, which counts as private
)
Index("jobs_by_time", jobs.c.accepted_at)
Index("jobs_by_origin", jobs.c.origin)

steps = Table(
    "steps",
    metadata,
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # the name as names are compared
    Column("parent_id", Text),  # "" for a main group, NULL while it is not known
    Column("parent_name", Text),  # how the parent was given, if by name
    Column("parent_key", Text, nullable=False),  # the parent as parents are compared
    Column("above", Integer),  # the parent's position, if it is a step of this job
    Column("state", Text, nullable=False),
    Column("reason", Text),  # why a request that was sent has no clear answer
    Column("group_id", Text),
    Column("outcome", Text),  # JSON: the fields of the outcome
    Column("sent_at", Double),
    Column("settled_at", Double),
)
Index("steps_by_name", steps.c.name_key, steps.c.parent_key)
Index("steps_by_group", steps.c.group_id)

# Index(…, postgresql_where=…) would import PostgreSQL's dialect, also for SQLite: a tenth of the time of a start.
sa.event.listen(jobs, "after_create", sa.DDL("CREATE INDEX jobs_to_carry ON jobs (due_at) WHERE closed_at IS NULL"))  # type: ignore[no-untyped-call]

languages = Table(
    "languages",
    metadata,
    Column("user", Text, primary_key=True),
    Column("language", Text, nullable=False),  # what the person chose
)

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("lease_until", Double, nullable=False),
)

versions = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

MIGRATIONS = ("ALTER TABLE jobs ADD COLUMN channel_kind TEXT",)
"""What turns version 1 into 2, 2 into 3, and so on. Old processes run beside new ones for a while: only add."""

VERSION = 1 + len(MIGRATIONS)

_LOCK = 0x616464_67727570  # an arbitrary number, the same in every version


class now(FunctionElement[float]):  # noqa: N801  # an SQL function
    """The database's clock, in seconds since 1970: one for all processes, whatever their own clocks say."""

    type = Double()
    inherit_cache = True


@compiles(now)
def _now(_element: now, compiler: Any, **_options: Any) -> str:
    return {
        "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
        "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
    }[compiler.dialect.name]


def lock(connection: Connection) -> None:
    """Let no other process past this point until the transaction ends. SQLite's writers are alone as it is."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def migrate(connection: Connection) -> int | None:
    """Bring the schema to VERSION, also when several processes start at once. A newer schema is left as it is.

    Returns the version that it had, None when there were no tables. Raises WrongJournal where the tables are not those
    that this version writes to; then nothing may be committed.
    """
    lock(connection)
    there = sa.inspect(connection).has_table(versions.name)
    version: int | None = connection.scalar(sa.select(versions.c.version)) if there else None
    if version is None:
        metadata.create_all(connection)
        connection.execute(versions.insert().values(version=VERSION))
    elif version < VERSION:
        for migration in MIGRATIONS[version - 1 :]:
            connection.execute(sa.text(migration))
        connection.execute(versions.update().values(version=VERSION))
    columns = {name: found for (_, name), found in sa.inspect(connection).get_multi_columns().items()}
    for table in metadata.sorted_tables:
        if missing := {*table.columns.keys()} - {column["name"] for column in columns.get(table.name, ())}:
            raise WrongJournal(
                f"it was made by another version of the bot ({table.name} lacks {min(missing)}). Set DATABASE_URL to a "
                "new journal, or run the version that made this one; docs/upgrade.md says what to do with open jobs."
            )
    return version
