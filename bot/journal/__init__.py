"""The journal: every accepted command, on disk before anybody is told. Here is what goes wrong with it.

JournalError        nothing was written
├── BadValue        the database refuses a value; whatever else was to be written can be written without it
├── Unsure          the failure came at the commit: perhaps it was written, perhaps not
└── WrongJournal    it is of another version of the bot, which this one cannot use

This module imports nothing, so that the command line can name them at once.
"""


class JournalError(Exception):
    """The database could not be read or written; its message holds no secret and no value of a row."""


class BadValue(JournalError):
    """The database cannot store one of the values. To try again is of no use."""


class Unsure(JournalError):
    """Nobody knows whether it was written. Jobs may be accepted again: what is there is not written twice."""


class WrongJournal(JournalError):
    """The tables are those of another version; the message says what to do."""


class TakenOver(Exception):
    """Another process has the job now, and nothing was written: leave it alone."""
